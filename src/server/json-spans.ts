/**
 * @file Where the parts of a JSON text stand, so that one of them can be replaced and all others stay as they were written.
 * For texts that `JSON.parse` has accepted.
 */
import { FormatError } from "../core/errors.ts";

/** Characters `from` to `to - 1` of a text. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

const BLANK = /[ \t\r\n]*/y;
const SCALAR = /[^\s,\]}]+/y;
const codes = { quote: 34, backslash: 92, open: [91, 123], close: [93, 125] } as const;

/**
 * The values of an object's members, by key.
 * @throws FormatError for a key that comes twice: readers differ in which of them counts.
 */
export function membersOf(text: string, object: Span): ReadonlyMap<string, Span> {
  const members = new Map<string, Span>();
  let at = skip(BLANK, text, object.from + 1);
  while (text[at] === '"') {
    const end = stringEnd(text, at);
    const key = JSON.parse(text.slice(at, end)) as string;
    if (members.has(key)) throw new FormatError(`JSON: expected every key once, got "${key.slice(0, 40)}" twice.`);
    const from = skip(BLANK, text, skip(BLANK, text, end) + 1);
    const to = valueEnd(text, from);
    members.set(key, { from, to });
    at = skip(BLANK, text, to);
    if (text[at] === ",") at = skip(BLANK, text, at + 1);
  }
  return members;
}

/** The elements of an array. */
export function elementsOf(text: string, array: Span): readonly Span[] {
  const elements: Span[] = [];
  let at = skip(BLANK, text, array.from + 1);
  while (text[at] !== "]" && at < array.to) {
    const to = valueEnd(text, at);
    elements.push({ from: at, to });
    at = skip(BLANK, text, to);
    if (text[at] === ",") at = skip(BLANK, text, at + 1);
  }
  return elements;
}

/** The whole value of a text. */
export function wholeOf(text: string): Span {
  const from = skip(BLANK, text, 0);
  return { from, to: valueEnd(text, from) };
}

/** The text with some spans replaced. @param parts in any order, not overlapping. */
export function splice(text: string, parts: readonly (Span & { readonly by: string })[]): string {
  let [out, at] = ["", 0];
  for (const { from, to, by } of [...parts].sort((a, b) => a.from - b.from)) {
    out += text.slice(at, from) + by;
    at = to;
  }
  return out + text.slice(at);
}

/** Walks character by character: patterns run out of stack on strings of megabytes. */
function valueEnd(text: string, from: number): number {
  const [openArray, openObject] = codes.open;
  const [closeArray, closeObject] = codes.close;
  const first = text.charCodeAt(from);
  if (first === codes.quote) return stringEnd(text, from);
  if (first !== openArray && first !== openObject) return skip(SCALAR, text, from);
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === codes.quote) at = stringEnd(text, at) - 1;
    else if (code === openArray || code === openObject) depth += 1;
    else if (code === closeArray || code === closeObject) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return text.length;
}

function stringEnd(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === codes.backslash) at += 1;
    else if (code === codes.quote) return at + 1;
  }
  return text.length;
}

function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}
