/** @file Where data sets lie on this machine. */
import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { InputError } from "../core/errors.ts";
import { type Dataset, filesOf } from "../data/dataset.ts";

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

/** The folders where a data set is looked for: the download's, then those of the system's packages. */
export function datasetFolders(dataset: Dataset, env: Environment = process.env): string[] {
  return [join(dataHome(env), dataset.name), ...dataset.folders];
}

/**
 * The first folder with all files of a data set, as published or unpacked; their content is not looked at.
 * @throws InputError that says where it was looked for, and how to get it.
 */
export async function findDataset(dataset: Dataset, env: Environment = process.env): Promise<string> {
  const folders = datasetFolders(dataset, env);
  for (const folder of folders) if (await holdsAll(folder, dataset)) return folder;
  throw new InputError(
    `${dataset.name}: expected its files in ${folders.join(" or ")}, got nothing there. Do run "untrigger data get ${dataset.name}".`,
  );
}

async function holdsAll(folder: string, dataset: Dataset): Promise<boolean> {
  for (const { name } of filesOf(dataset)) {
    const there = (await isThere(join(folder, name))) || (await isThere(join(folder, name.replace(/\.gz$/, ""))));
    if (!there) return false;
  }
  return true;
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
