/** @file What `JSON.parse` hides or is slow at: a key that an object names twice, and nesting without end. */

/** What a JSON text looks like from outside. */
export interface JsonOutline {
  /** Deepest nesting of objects and arrays. */
  readonly depth: number;
  /** The first key that the outermost object names twice. */
  readonly repeatedKey: string | undefined;
}

/**
 * Walks over a text that may be JSON, in linear time and without a stack.
 * @throws SyntaxError when a key of the outermost object is no JSON string.
 */
export function outlineOf(text: string): JsonOutline {
  const seen = new Set<string>();
  let repeatedKey: string | undefined;
  let level = 0;
  let depth = 0;
  let lastText: readonly [start: number, end: number] = [0, 0];
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    if (letter === '"') {
      const end = endOfString(text, at);
      lastText = [at, end];
      at = end - 1;
    } else if (letter === "{" || letter === "[") {
      level += 1;
      depth = Math.max(depth, level);
    } else if (letter === "}" || letter === "]") {
      level -= 1;
    } else if (letter === ":" && level === 1) {
      const key: unknown = JSON.parse(text.slice(...lastText));
      if (seen.has(String(key))) repeatedKey ??= String(key);
      seen.add(String(key));
    }
  }
  return { depth, repeatedKey };
}

/** Position after the quote that ends the string starting at `start`, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let escapes = 0;
    while (text[quote - 1 - escapes] === "\\") escapes += 1;
    if (escapes % 2 === 0) return quote + 1;
  }
  return text.length;
}
