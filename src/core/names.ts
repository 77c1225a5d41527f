/** @file Looking things up by name, with a guess for the typo. */
import { OptionError } from "./errors.ts";

/**
 * The entry of a table, by name.
 * @throws OptionError that lists the known names and guesses the nearest, when there is none.
 */
export function lookUp<T>(kind: string, name: string, table: Readonly<Record<string, T>>): T {
  const entry = Object.hasOwn(table, name) ? table[name] : undefined;
  if (entry === undefined) throw unknownName(kind, name, Object.keys(table));
  return entry;
}

/** The error for an unknown name: `Unknown purifier "difpure". Did you mean "diffpure"? Known: diffpure, zip.` */
export function unknownName(kind: string, name: string, known: readonly string[]): OptionError {
  const guess = nearestName(name, known);
  const hint = guess === undefined ? "" : ` Did you mean "${guess}"?`;
  return new OptionError(`Unknown ${kind} "${name}".${hint} Known: ${known.join(", ") || "none"}.`);
}

/** The known name within two edits (or a third of the length) of `name`, if there is one. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const limit = Math.max(2, Math.floor(name.length / 3));
  let best: { name: string; distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase().slice(0, 64), candidate.toLowerCase().slice(0, 64));
    if (distance <= limit && (best === undefined || distance < best.distance)) best = { name: candidate, distance };
  }
  return best?.name;
}

/** Edits from one word to another, swapped neighbours counting as one: Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const substitution = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      const swapped = i > 0 && j > 0 && a[i] === b[j - 1] && a[i - 1] === b[j];
      const swap = swapped ? (before[j - 1] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      next.push(Math.min(substitution, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, swap));
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
