/**
 * @file The rows of a bench on disk. A row is one write, on the disk when it is done: a killed run loses at most the cell
 * that it was computing, and a half-written last line is cut off when the file is opened again.
 */
import { type FileHandle, open, stat } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../../core/errors.ts";
import { type BenchRow, benchLine, latestRows, readBenchRows } from "../../results/bench-row.ts";
import type { JsonLines } from "../../results/json-lines.ts";
import { fileError, systemCode } from "../file-error.ts";
import { folderSource } from "../folder-source.ts";
import { readIfThere } from "../read-json.ts";
import { readWhole } from "../read-whole.ts";

/** Name of the file in the folder of the results. */
export const RESULTS_FILE = "results.jsonl";

/** An open file of rows. */
export interface ResultsFile {
  /** How each cell that has a row has ended, by key. */
  readonly cells: ReadonlyMap<string, BenchRow["status"]>;
  /** One sentence on what was repaired. */
  readonly note: string | undefined;
  /** Appends a row; it is on the disk when this returns. @throws InputError when the disk refuses. */
  append(row: BenchRow): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the rows of a folder for more of them; there is no file before the first.
 * @param resume whether there may be some already.
 * @throws InputError when there are and must not be, or the file cannot be written; FormatError for rows of another
 * schema, or damaged ones before the last line. Nothing has changed then.
 */
export async function openResults(folder: string, { resume }: { readonly resume: boolean }): Promise<ResultsFile> {
  const path = join(folder, RESULTS_FILE);
  const size = await stat(path).then(
    (found) => found.size,
    (error: unknown) => {
      if (systemCode(error) === "ENOENT") return 0;
      throw fileError(path, "a file of rows", error);
    },
  );
  if (size > 0 && !resume) {
    throw new InputError(
      `${folder}: expected a folder without results, got ${size} bytes of rows. Do go on with --resume, or choose another folder.`,
    );
  }
  const read = size === 0 ? undefined : readBenchRows(await readWhole(path), path);
  const cells = endedOf(read?.rows ?? []);
  if (read !== undefined) await mend(path, read, size);
  let file: FileHandle | undefined;
  return {
    cells,
    note: read?.note ?? undefined,
    async append(row) {
      file ??= await open(path, "a").catch((cause: unknown) => {
        throw fileError(path, "a file that can be written", cause);
      });
      await append(file, path, row);
      cells.set(row.cell, row.status);
    },
    async close() {
      await file?.close();
    },
  };
}

/** Cuts off what is half-written, and ends the last line. */
async function mend(path: string, { intactBytes, endsLine }: JsonLines<BenchRow>, size: number): Promise<void> {
  if (intactBytes === size && endsLine) return;
  try {
    const file = await open(path, "a");
    try {
      if (intactBytes < size) await file.truncate(intactBytes);
      if (!endsLine) await file.appendFile("\n");
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw fileError(path, "a file that can be written", cause);
  }
}

/**
 * How the cells of a folder have ended, by key; nothing is changed. Empty where there are no rows.
 * @throws FormatError as {@link openResults}.
 */
export async function readEnded(folder: string): Promise<Map<string, BenchRow["status"]>> {
  const bytes = await readIfThere(folderSource(folder), RESULTS_FILE);
  return endedOf(bytes === undefined ? [] : readBenchRows(bytes, join(folder, RESULTS_FILE)).rows);
}

function endedOf(rows: readonly BenchRow[]): Map<string, BenchRow["status"]> {
  return new Map(latestRows(rows).map(({ cell, status }) => [cell, status]));
}

async function append(file: FileHandle, path: string, row: BenchRow): Promise<void> {
  const line = new TextEncoder().encode(benchLine(row));
  try {
    await file.appendFile(line);
    await file.datasync();
  } catch (cause) {
    throw fileError(path, "a file that can be written", cause);
  }
}
