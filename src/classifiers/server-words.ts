/** @file What a server said, short and on one line, for our own sentence. */

const LONGEST = 200;

/** ` "Not Found"` for an HTML page with a title, `""` for one without, `undefined` for what is no HTML. */
export function titleOfHtml(text: string): string | undefined {
  const start = text.slice(0, 5000);
  if (!/^\s*(<!doctype html|<html|<head|<body)/i.test(start)) return undefined;
  const title = oneLine(/<title[^>]{0,200}>([^<]{1,500})/i.exec(start)?.[1] ?? "");
  return title === "" ? "" : ` "${title}"`;
}

/** The server's own words in quotes: the error of a JSON answer, a page's title, or the text; `""` when there are none. */
export function quoteServer(text: string): string {
  const title = titleOfHtml(text);
  if (title !== undefined) return `an HTML page${title}`;
  const words = oneLine(errorIn(text) ?? text);
  return words === "" ? "" : `"${words}"`;
}

/** The text of `error`, `message` or `detail`, at most one object deep. */
function errorIn(text: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  for (let depth = 0; depth < 2; depth++) {
    if (typeof value !== "object" || value === null) break;
    const { error, message, detail } = value as Record<string, unknown>;
    value = error ?? message ?? detail;
  }
  return typeof value === "string" ? value : undefined;
}

function oneLine(text: string): string {
  // Control characters could move the cursor of the terminal that shows this.
  const words = text
    .slice(0, 4 * LONGEST)
    .replace(/[\p{Cc}\s]+/gu, " ")
    .trim();
  return words.length > LONGEST ? `${words.slice(0, LONGEST)}…` : words;
}
