/** @file The toolkit's sentences name flags of its command line; here they name the controls of this page. */
const words: readonly (readonly [RegExp, string])[] = [
  [/ (?:Resize (?:it|them) with --fit|Convert (?:it|them) with --channels \d)\./g, " Tick “Make pictures fit”."],
  [/ Give one with --(?:prior|classifier)[^.]*(?:\.onnx\|URL)?\./g, ""],
];

/** A sentence of the toolkit in the words of this page. */
export function pageWords(message: string): string {
  return words.reduce((text, [flag, control]) => text.replaceAll(flag, control), message);
}
