/** @file `untrigger data get|list|check`: the data sets that the toolkit knows, and where they are on this machine. */
import { performance } from "node:perf_hooks";
import type { Command } from "commander";
import { FormatError } from "../../core/errors.ts";
import { hashJson } from "../../core/hash.ts";
import { lookUp } from "../../core/names.ts";
import { checkDataset, type FileCheck } from "../../data/check-dataset.ts";
import { type Dataset, filesOf, parts } from "../../data/dataset.ts";
import { datasets } from "../../data/registry.ts";
import { type SplitContent, splitContents } from "../../data/splits.ts";
import { nodeDecoders } from "../../node/decoders.ts";
import { downloadDataset } from "../../node/download-dataset.ts";
import { dataHome, findDataset } from "../../node/find-dataset.ts";
import { folderSource } from "../../node/folder-source.ts";
import type { Console } from "../console.ts";
import { addCommonFlags, type CommonFlags } from "../flags.ts";
import { createProgress, type Progress } from "../progress.ts";
import { formatTable } from "../table.ts";

/** A data set as `--json` prints it. */
interface DatasetEntry {
  readonly name: string;
  readonly summary: string;
  readonly licence: string;
  readonly homepage: string;
  /** Also true for one that is made on the spot. */
  readonly found: boolean;
  /** The folder; `null` when it is not found, or needs none. */
  readonly path: string | null;
  readonly items: number;
  /** Identity of the published content: SHA-256 over the checksums of its files, or over the facts it is made of. */
  readonly sha256: string;
  /** What `check` found out about the files. */
  readonly files?: readonly FileCheck[];
  /** What `check NAME` read: how many images each split has, and the hash of its content. */
  readonly splits?: readonly SplitContent[];
}

/** Adds the verb to the program. */
export function defineData(command: Command, console: Console): void {
  addCommonFlags(command.command("list").description("which data sets there are, and which are here")).action(
    async (flags: CommonFlags) => {
      print(await Promise.all(Object.values(datasets).map(entryOf)), flags, console);
    },
  );
  addCommonFlags(
    command
      .command("check [name]")
      .description("verify the files of all data sets that are here, or of one, and read every image of that one"),
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
  const problem = entries.flatMap(({ files = [] }) => files).find((file) => file.problem !== null)?.problem;
  if (problem === undefined && name !== undefined && only !== undefined) {
    const own = await readAll(only, flags, console);
    print(
      entries.map((entry) => ({ ...entry, splits: own })),
      flags,
      console,
    );
    return;
  }
  print(entries, flags, console);
  if (problem !== undefined && problem !== null) throw new FormatError(problem);
}

/** Decodes everything, and compares each part with the hash that is known of it. */
async function readAll(dataset: Dataset, flags: CommonFlags, console: Console): Promise<readonly SplitContent[]> {
  const source = folderSource(await findDataset(dataset));
  let entries: readonly SplitContent[] = [];
  await withProgress(flags, console, async (progress) => {
    entries = await splitContents(dataset, source, {
      decoders: nodeDecoders,
      signal: console.signal,
      onProgress: (done, total) => progress.update(dataset.name, done, total),
    });
  });
  for (const part of parts) {
    const expected = dataset.hashes?.[part];
    const got = entries.find(({ split }) => split === (part === "train" ? "train+validation" : part))?.sha256;
    if (expected !== undefined && got !== expected) {
      throw new FormatError(`${dataset.name}: expected images to ${part} with SHA-256 ${expected}, got ${got}.`);
    }
  }
  return entries;
}

async function get(name: string, flags: CommonFlags, console: Console): Promise<void> {
  const dataset = lookUp("data set", name, datasets);
  if (!(await isHere(dataset, console.signal))) {
    await withProgress(flags, console, (progress) =>
      downloadDataset(dataset, `${dataHome()}/${name}`, {
        fetch: globalThis.fetch,
        signal: console.signal,
        onProgress: (done, total) => progress.update(`${name} (kB)`, done / 1000, Math.round(total / 1000)),
      }),
    );
  }
  const entry = await entryOf(dataset);
  const files = entry.path === null ? [] : await checkDataset(dataset, folderSource(entry.path), console.signal);
  print([{ ...entry, files }], flags, console);
}

async function withProgress(
  flags: CommonFlags,
  console: Console,
  work: (progress: Progress) => Promise<void>,
): Promise<void> {
  const progress = createProgress(console, flags.quiet === true, () => performance.now());
  try {
    await work(progress);
  } finally {
    progress.close();
  }
}

/** Whether all files are somewhere, and are what they should be. */
async function isHere(dataset: Dataset, signal: AbortSignal): Promise<boolean> {
  if (dataset.packings.length === 0) return true;
  const folder = await findDataset(dataset).catch(() => undefined);
  if (folder === undefined) return false;
  const files = await checkDataset(dataset, folderSource(folder), signal);
  return files.every(({ problem }) => problem === null);
}

async function entryOf(dataset: Dataset): Promise<DatasetEntry> {
  const { name, summary, licence, homepage, items, packings, hashes } = dataset;
  const isMade = packings.length === 0;
  const path = isMade ? null : await findDataset(dataset).catch(() => null);
  const checksums = filesOf(dataset).map(({ contentSha256, sha256, md5 }) => contentSha256 ?? sha256 ?? md5);
  return {
    name,
    summary,
    licence,
    homepage,
    found: isMade || path !== null,
    path,
    items: items.train + items.test,
    sha256: hashJson(isMade ? hashes : checksums),
  };
}

function print(entries: readonly DatasetEntry[], { json = false }: CommonFlags, console: Console): void {
  if (json) {
    console.out(`${JSON.stringify({ schema: "untrigger/data@1", datasets: entries }, undefined, 2)}\n`);
    return;
  }
  const rows = entries.map((entry) => [entry.name, String(entry.items), entry.licence, whereOf(entry), stateOf(entry)]);
  console.out(formatTable([["data set", "items", "licence", "where", ""], ...rows]));
  for (const { name, splits: read = [] } of entries) {
    for (const { split, items, sha256 } of read) console.out(`${name} ${split}: ${items} images, SHA-256 ${sha256}\n`);
  }
}

function whereOf({ name, found, path }: DatasetEntry): string {
  if (path !== null) return path;
  return found ? "made on the spot" : `not here (untrigger data get ${name})`;
}

function stateOf({ files, path }: DatasetEntry): string {
  if (files === undefined || path === null) return "";
  const problem = files.find((file) => file.problem !== null)?.problem;
  if (problem !== undefined && problem !== null) return problem;
  const unproven = files.filter(({ verifiedBy }) => verifiedBy === "nothing").length;
  if (unproven === 0) return "verified";
  return `not verified: no checksum is known for ${unproven} of ${files.length} files as they lie there`;
}
