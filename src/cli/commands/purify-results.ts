/** @file What `purify` leaves behind: a picture and its evidence for each input, and one line about it. */
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { encodePng } from "../../images/node.ts";
import type { Picture } from "../../images/picture.ts";
import { evidenceSheet } from "../../images/sheet.ts";
import type { PurifiedPicture } from "../../jobs/purify.ts";
import { fileError } from "../../node/file-error.ts";
import { writeWhole } from "../../node/write-whole.ts";
import { PURIFY_SCHEMA, type PurifyRow } from "../../results/purify-row.ts";

/** Pictures that are encoded and written at the same time. */
const atOnce = 8;
/** Rows and sheets that are kept for the terminal. */
const shownRows = 20;
const shownSheets = 3;

/** The files of one run, in the making. */
export interface PurifyResults {
  readonly folder: string;
  /** All rows, or only the first ones when nobody asked for all. */
  readonly rows: readonly PurifyRow[];
  /** Evidence of the first pictures, not enlarged. */
  readonly sheets: readonly Picture[];
  /** Writes a batch; its lines come last, so that every line has its files. */
  write(results: readonly PurifiedPicture[]): Promise<void>;
  /** Ends the list of results and adds `run.json`. */
  finish(summary: object): Promise<void>;
  /** Waits for what is being written and closes the list; for runs that fail. */
  settle(): Promise<void>;
}

/** Prepares the results of a run; no file is made before the first batch. */
export function createResults(folder: string, { keepRows }: { readonly keepRows: boolean }): PurifyResults {
  const rows: PurifyRow[] = [];
  const sheets: Picture[] = [];
  const path = join(folder, "results.jsonl");
  let list: FileHandle | undefined;
  let writing: Promise<void> = Promise.resolve();

  const writeBatch = async (results: readonly PurifiedPicture[]): Promise<void> => {
    for (let from = 0; from < results.length; from += atOnce) {
      await Promise.all(results.slice(from, from + atOnce).map((result) => writePictures(folder, result)));
    }
    const lines = results.map(({ row }) => `${JSON.stringify({ schema: PURIFY_SCHEMA, ...row })}\n`);
    try {
      list ??= await open(path, "w");
      await list.writeFile(lines.join(""));
    } catch (cause) {
      throw fileError(path, "a file that can be written", cause);
    }
    for (const { row, input, output, evidence } of results) {
      if (keepRows || rows.length < shownRows) rows.push(row);
      if (sheets.length < shownSheets) sheets.push(evidenceSheet(input, output, evidence, 1));
    }
  };
  const settle = async (): Promise<void> => {
    await writing.catch(() => undefined);
    await list?.close();
    list = undefined;
  };
  return {
    folder,
    rows,
    sheets,
    settle,
    write(results) {
      writing = writeBatch(results);
      return writing;
    },
    async finish(summary) {
      await settle();
      await writeWhole(join(folder, "run.json"), `${JSON.stringify(summary, undefined, 2)}\n`);
    },
  };
}

async function writePictures(folder: string, { input, output, evidence, row }: PurifiedPicture): Promise<void> {
  await Promise.all([
    encodePng(output).then((png) => writeWhole(join(folder, row.output), png)),
    encodePng(evidenceSheet(input, output, evidence)).then((png) =>
      writeWhole(join(folder, "evidence", `${row.name}.png`), png),
    ),
  ]);
}
