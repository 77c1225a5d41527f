/** @file Where data sets lie on this machine. */
import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { InputError } from "../core/errors.ts";
import type { Dataset, DatasetFile } from "../data/dataset.ts";

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The folder that holds downloaded data sets, one folder each: `$UNTRIGGER_DATA`, else `untrigger` in the user's cache
 * (`$XDG_CACHE_HOME`, else `~/.cache`).
 */
export function dataHome(env: Environment = process.env): string {
  const { UNTRIGGER_DATA: own = "", XDG_CACHE_HOME: cache = "" } = env;
  if (own !== "") return own;
  return join(cache === "" ? join(homedir(), ".cache") : cache, "untrigger");
}

/**
 * The folders where a data set is looked for: the download's, then those of the system's packages, then, for one that
 * npm installs, the project's.
 */
export function datasetFolders(dataset: Dataset, env: Environment = process.env): string[] {
  const isPackage = dataset.packings.some(({ files }) => files.some((file) => file.package !== undefined));
  return [join(dataHome(env), dataset.name), ...dataset.folders, ...(isPackage ? ["node_modules"] : [])];
}

/**
 * The first folder with all files of a data set, as published or unpacked; their content is not looked at. For a set
 * that is made on the spot, the folder where its files would be.
 * @throws InputError that says where it was looked for, and how to get it.
 */
export async function findDataset(dataset: Dataset, env: Environment = process.env): Promise<string> {
  const folders = datasetFolders(dataset, env);
  const { name, packings } = dataset;
  if (packings.length === 0) return folders[0] ?? dataHome(env);
  for (const folder of folders) {
    for (const { files } of packings) if (await holdsAll(folder, files)) return folder;
  }
  throw new InputError(
    `${name}: expected its files in ${folders.join(" or ")}, got nothing there. Do run "untrigger data get ${name}".`,
  );
}

async function holdsAll(folder: string, files: readonly DatasetFile[]): Promise<boolean> {
  for (const file of files) if (!(await holds(folder, file))) return false;
  return true;
}

async function holds(folder: string, { name, contents }: DatasetFile): Promise<boolean> {
  if (await isThere(join(folder, name))) return true;
  if (contents === undefined) return isThere(join(folder, name.replace(/\.gz$/, "")));
  for (const mark of contents.marks) if (!(await isThere(join(folder, contents.unpacked, mark)))) return false;
  return true;
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
