/** @file `untrigger data get|list|check`: the data sets that the toolkit knows, and where they are on this machine. */
import { performance } from "node:perf_hooks";
import type { Command } from "commander";
import { FormatError } from "../../core/errors.ts";
import { hashJson } from "../../core/hash.ts";
import { lookUp } from "../../core/names.ts";
import { checkDataset, type Dataset, type FileCheck, filesOf } from "../../data/dataset.ts";
import { datasets } from "../../data/registry.ts";
import { downloadDataset } from "../../node/download-dataset.ts";
import { dataHome, findDataset } from "../../node/find-dataset.ts";
import { folderSource } from "../../node/folder-source.ts";
import type { Console } from "../console.ts";
import { addCommonFlags, type CommonFlags } from "../flags.ts";
import { createProgress } from "../progress.ts";
import { formatTable } from "../table.ts";

/** A data set as `--json` prints it. */
interface DatasetEntry {
  readonly name: string;
  readonly summary: string;
  readonly licence: string;
  readonly homepage: string;
  readonly found: boolean;
  /** The folder; `null` when it is not found. */
  readonly path: string | null;
  readonly items: number;
  /** Identity of the content, however it is packed: SHA-256 over the published checksums of its files. */
  readonly sha256: string;
  /** What `check` found out. */
  readonly files?: readonly FileCheck[];
}

/** Adds the verb to the program. */
export function defineData(command: Command, console: Console): void {
  addCommonFlags(command.command("list").description("which data sets there are, and which are here")).action(
    async (flags: CommonFlags) => {
      print(await Promise.all(Object.values(datasets).map(entryOf)), flags, console);
    },
  );
  addCommonFlags(
    command.command("check [name]").description("verify the files of one data set, or of all that are here"),
  ).action((name: string | undefined, flags: CommonFlags) => check(name, flags, console));
  addCommonFlags(command.command("get <name>").description("download a data set and verify it")).action(
    (name: string, flags: CommonFlags) => get(name, flags, console),
  );
}

async function check(name: string | undefined, flags: CommonFlags, console: Console): Promise<void> {
  const chosen = name === undefined ? Object.values(datasets) : [lookUp("data set", name, datasets)];
  const [only] = chosen;
  if (name !== undefined && only !== undefined) await findDataset(only);
  const entries: DatasetEntry[] = [];
  for (const dataset of chosen) {
    const entry = await entryOf(dataset);
    const files = entry.path === null ? [] : await checkDataset(dataset, folderSource(entry.path), console.signal);
    entries.push({ ...entry, files });
  }
  print(entries, flags, console);
  const problem = entries.flatMap(({ files = [] }) => files).find((file) => file.problem !== undefined)?.problem;
  if (problem !== undefined) throw new FormatError(problem);
}

async function get(name: string, flags: CommonFlags, console: Console): Promise<void> {
  const dataset = lookUp("data set", name, datasets);
  if (!(await isHere(dataset, console.signal))) {
    const progress = createProgress(console, flags.quiet === true, () => performance.now());
    try {
      await downloadDataset(dataset, `${dataHome()}/${name}`, {
        fetch: globalThis.fetch,
        signal: console.signal,
        onProgress: (done, total) => progress.update(`${name} (kB)`, done / 1000, Math.round(total / 1000)),
      });
    } finally {
      progress.close();
    }
  }
  print([await entryOf(dataset)], flags, console);
}

/** Whether all files are somewhere, and are what they should be. */
async function isHere(dataset: Dataset, signal: AbortSignal): Promise<boolean> {
  const folder = await findDataset(dataset).catch(() => undefined);
  if (folder === undefined) return false;
  const files = await checkDataset(dataset, folderSource(folder), signal);
  return files.every(({ problem }) => problem === undefined);
}

async function entryOf(dataset: Dataset): Promise<DatasetEntry> {
  const { name, summary, licence, homepage, splits } = dataset;
  const path = await findDataset(dataset).catch(() => null);
  return {
    name,
    summary,
    licence,
    homepage,
    found: path !== null,
    path,
    items: splits.train.items + splits.test.items,
    sha256: hashJson(filesOf(dataset).map(({ contentSha256 }) => contentSha256)),
  };
}

function print(entries: readonly DatasetEntry[], { json = false }: CommonFlags, console: Console): void {
  if (json) {
    console.out(`${JSON.stringify({ schema: "untrigger/data@1", datasets: entries }, undefined, 2)}\n`);
    return;
  }
  const rows = entries.map(({ name, items, licence, path, files }) => [
    name,
    String(items),
    licence,
    path ?? `not here (untrigger data get ${name})`,
    files === undefined || path === null ? "" : (files.find(({ problem }) => problem)?.problem ?? "verified"),
  ]);
  console.out(formatTable([["data set", "items", "licence", "where", ""], ...rows]));
}
