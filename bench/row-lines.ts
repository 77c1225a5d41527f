/** @file Rows of a `.jsonl` file, as benchmarks write them: a JSON object a line. */

/** The rows of a file's text. */
export function readRowLines<Row>(text: string): Row[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line): Row => JSON.parse(line));
}
