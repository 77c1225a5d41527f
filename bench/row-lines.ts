/** @file Rows of a `.jsonl` file, as benchmarks write them: a JSON object a line. */
import { appendFile } from "node:fs/promises";

/** Adds a row to a file, which is made where there is none. */
export async function addRow(path: string, row: object): Promise<void> {
  await appendFile(path, `${JSON.stringify(row)}\n`);
}

/** The rows of a file's text. */
export function readRowLines<Row>(text: string): Row[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line): Row => JSON.parse(line));
}
