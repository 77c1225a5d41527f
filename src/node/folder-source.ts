/** @file A folder on disk as a source of bytes that nobody can talk into leaving it. */
import { realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, sep } from "node:path";
import type { ByteSource } from "../core/byte-source.ts";
import { InputError } from "../core/errors.ts";
import { fileError } from "./file-error.ts";
import { readWhole } from "./read-whole.ts";

/**
 * Reads files of a folder by relative name (`unet/config.json`).
 * The source throws InputError for a file that is missing, and for a name that leaves the folder: absolute, through `..`
 * or through a symbolic link. One kind of link is followed out: the Hugging Face cache keeps the files of
 * `snapshots/REVISION` in `blobs` of the same model.
 */
export function folderSource(folder: string): ByteSource {
  return async (name, signal) => {
    const path = join(folder, name);
    if (isAbsolute(name) || leaves(folder, path)) throw outside(folder, name);
    const [root, target] = await Promise.all([realpath(folder), realpath(path)]).catch((cause: unknown) => {
      throw fileError(path, "a file", cause);
    });
    if (leaves(root, target) && leaves(blobsOf(root), target)) throw outside(folder, name);
    return readWhole(target, { signal }).catch((error: unknown) => {
      throw error instanceof InputError ? fileError(path, "a file", error.cause ?? error) : error;
    });
  };
}

/** `MODEL/blobs` for `MODEL/snapshots/REVISION`; any other folder itself. */
function blobsOf(folder: string): string {
  const snapshots = dirname(folder);
  return basename(snapshots) === "snapshots" ? join(dirname(snapshots), "blobs") : folder;
}

function leaves(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way);
}

function outside(folder: string, name: string): InputError {
  // The code tells readers of optional files that this one is not merely absent.
  const cause = Object.assign(new Error("outside the folder"), { code: "EACCES" });
  return new InputError(`${folder}: expected a file inside this folder, got the name "${name}" that leaves it.`, {
    cause,
  });
}
