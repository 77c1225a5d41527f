/** @file The page of a bench, from the rows in its folder: `index.html`, `results.md`, `results.csv`. */
import { join } from "node:path";
import { readHeader } from "../../images/header.ts";
import { benchCsv } from "../../report/bench-csv.ts";
import { benchPage } from "../../report/bench-page.ts";
import { pageFiles } from "../../report/page/files.ts";
import type { PagePicture } from "../../report/page/tree.ts";
import { type BenchRow, latestRows, readBenchRows } from "../../results/bench-row.ts";
import { folderSource } from "../folder-source.ts";
import { readIfThere } from "../read-json.ts";
import { readWhole } from "../read-whole.ts";
import { writeWhole } from "../write-whole.ts";
import { RESULTS_FILE } from "./results-file.ts";

/** Sheets that a page holds; the others lie in the folder. */
const MOST_SHEETS = 200;

/**
 * Renders the rows of a folder.
 * @returns the page's path. @throws FormatError when the rows are none, InputError when the disk refuses.
 */
export async function writeReport(folder: string, title?: string): Promise<string> {
  const { rows, note } = readBenchRows(await readWhole(join(folder, RESULTS_FILE)), RESULTS_FILE);
  const sheets = await readSheets(folder, latestRows(rows));
  const page = benchPage(rows, {
    title,
    notes: note === null ? [] : [note],
    sheet: (path) => sheets.get(path),
    sheetCaption: "Images of each cell from left to right: original, attacked, purified, and what the purifier shows.",
  });
  const { "index.html": html = "", "index.md": markdown = "", ...charts } = pageFiles(page);
  for (const [name, text] of Object.entries({ ...charts, "results.md": markdown, "results.csv": benchCsv(rows) })) {
    await writeWhole(join(folder, name), text);
  }
  const path = join(folder, "index.html");
  await writeWhole(path, html);
  return path;
}

async function readSheets(folder: string, rows: readonly BenchRow[]): Promise<Map<string, PagePicture>> {
  const sheets = new Map<string, PagePicture>();
  const source = folderSource(folder);
  for (const row of rows) {
    if (row.status !== "done" || row.sheet === null || sheets.size >= MOST_SHEETS) continue;
    const png = await readIfThere(source, row.sheet).catch(() => undefined);
    const header = png === undefined ? undefined : readHeader(png, "png");
    if (png === undefined || header === undefined) continue;
    const { width, height } = header;
    const alt = `${row.attack.name} against ${row.defence.name}: images before and after`;
    sheets.set(row.sheet, { path: row.sheet, alt, width, height, png });
  }
  return sheets;
}
