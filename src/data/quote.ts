/** @file Names out of strangers' files, made fit for a sentence. */

const LIMIT = 120;

/** A name without control characters (a terminal would obey them), cut to 120 characters. */
export function printable(name: string): string {
  const cut = name.length > LIMIT ? `${name.slice(0, LIMIT)}…` : name;
  return cut.replaceAll(/\p{C}/gu, "?");
}

/** The same in quotes. */
export function quote(name: string): string {
  return `"${printable(name)}"`;
}
