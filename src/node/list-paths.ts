/** @file All files below a folder, by path. */
import { join } from "node:path";
import { FormatError } from "../core/errors.ts";
import { entriesOf, isKind } from "./glob.ts";

const MOST_FILES = 1_000_000;

/**
 * All files below a folder by path with slashes, in order of their names; hidden ones left out.
 * @throws InputError when the folder cannot be read, FormatError when there are more than a million files.
 */
export async function listPaths(folder: string, signal: AbortSignal | undefined): Promise<string[]> {
  const found: string[] = [];
  const walk = async (below: string): Promise<void> => {
    signal?.throwIfAborted();
    for (const entry of await entriesOf(join(folder, below))) {
      if (entry.name.startsWith(".")) continue;
      const path = `${below}${entry.name}`;
      if (entry.isDirectory()) await walk(`${path}/`);
      else if (await isKind(join(folder, path), entry, "isFile")) found.push(path);
      if (found.length > MOST_FILES)
        throw new FormatError(`${folder}: expected at most ${MOST_FILES} files, got more.`);
    }
  };
  await walk("");
  return found.sort();
}
