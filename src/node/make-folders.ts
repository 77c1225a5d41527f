/** @file Folders with all folders above them. */
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCode } from "./file-error.ts";

/**
 * Makes a folder and those above it. Node's own recursive `mkdir` never returns where a file system denies that a
 * parent exists which does (`/proc`).
 * @returns the first folder that was made; undefined when all were there.
 * @throws the system's error.
 */
export async function makeFolders(path: string): Promise<string | undefined> {
  try {
    await mkdir(path);
    return path;
  } catch (error) {
    const code = systemCode(error);
    if (code === "EEXIST" && (await stat(path)).isDirectory()) return undefined;
    if (code !== "ENOENT" || dirname(path) === path) throw error;
  }
  const first = await makeFolders(dirname(path));
  await mkdir(path).catch((error: unknown) => {
    // Several pictures of one folder are written at the same time.
    if (systemCode(error) !== "EEXIST") throw error;
  });
  return first ?? path;
}
