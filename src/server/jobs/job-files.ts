/** @file The files of a job's result, in a folder. */
import { lstat } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import { listPaths } from "../../node/list-paths.ts";

/** A file of a job's result. */
export interface JobFile {
  /** With slashes. */
  readonly path: string;
  readonly bytes: number;
}

/** All files below a folder, in order of their paths; none when there is no such folder. Links are left out. */
export async function listJobFiles(folder: string): Promise<JobFile[]> {
  const files: JobFile[] = [];
  for (const path of await listPaths(folder, undefined)) {
    const found = await lstat(join(folder, path)).catch(() => undefined);
    if (found?.isFile() === true) files.push({ path, bytes: found.size });
  }
  return files;
}

/** A file below a folder; no link, and nothing above it. */
export async function findJobFile(folder: string, path: string): Promise<string | undefined> {
  if (path.includes("\0") || path.includes("\\")) return undefined;
  const file = resolve(folder, path);
  if (!file.startsWith(folder + sep)) return undefined;
  const found = await lstat(file).catch(() => undefined);
  return found?.isFile() === true ? file : undefined;
}
