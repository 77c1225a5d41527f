/** @file What `JSON.parse` hides: a key that an object names twice. */

/**
 * The first key that the outermost object of a JSON text names twice, if any.
 * @param text valid JSON whose value is an object.
 */
export function repeatedKey(text: string): string | undefined {
  const seen = new Set<string>();
  const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;
  let depth = 0;
  let previous = "";
  for (const [piece] of text.matchAll(token)) {
    if (piece === "{" || piece === "[") depth += 1;
    else if (piece === "}" || piece === "]") depth -= 1;
    else if (piece === ":" && depth === 1) {
      const key = JSON.parse(previous) as string;
      if (seen.has(key)) return key;
      seen.add(key);
    }
    previous = piece;
  }
  return undefined;
}
