/** @file What a button of the page hands to the browser's downloads. */
import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";

/** Presses a button and reads the file that comes. */
export async function download(page: Page, button: string): Promise<{ readonly name: string; readonly bytes: Buffer }> {
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: button }).click()]);
  return { name: file.suggestedFilename(), bytes: await readFile(await file.path()) };
}

/** The document behind "Results (JSON)". */
export async function results(page: Page): Promise<{ runs: Run[] }> {
  return JSON.parse((await download(page, "Results (JSON)")).bytes.toString()) as { runs: Run[] };
}

/** As far as tests look into it. */
interface Run {
  readonly seed: number;
  readonly threshold: number | null;
  readonly options: readonly Record<string, unknown>[];
  readonly request: Record<string, unknown>;
  readonly images: readonly {
    name: string;
    label: number;
    labelBefore: number;
    suspicion: number;
    scores: number[];
    scoresBefore: number[];
  }[];
}
