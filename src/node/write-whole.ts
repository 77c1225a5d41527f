/**
 * @file Files that appear whole or not at all: written under a temporary name in the same folder, then renamed. If the
 * process ends in between, whatever the reason, the temporary file is removed on the way out.
 */
import { unlinkSync } from "node:fs";
import { open, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileError, systemCode } from "./file-error.ts";
import { makeFolders } from "./make-folders.ts";

/** Temporary files that exist at this moment. */
const unfinished = new Set<string>();
let count = 0;

/**
 * Writes a file as a whole, with its folders, over what was there.
 * @param sync waits until the bytes are on the disk; false when left out, as for results that can be made again.
 * @throws InputError when the file cannot be written; the signal's reason when aborted. Nothing is left behind then.
 */
export async function writeWhole(
  path: string,
  data: Uint8Array | string,
  { sync = false, signal }: { readonly sync?: boolean; readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  signal?.throwIfAborted();
  const temporary = temporaryFor(path);
  try {
    const file = await open(temporary, "wx").catch(async (cause: unknown) => {
      if (systemCode(cause) !== "ENOENT") throw cause;
      await makeFolders(dirname(path));
      return open(temporary, "wx");
    });
    try {
      await file.writeFile(data);
      if (sync) await file.sync();
    } finally {
      await file.close();
    }
    signal?.throwIfAborted();
    await rename(temporary, path);
  } catch (cause) {
    await unlink(temporary).catch(() => undefined);
    if (signal?.aborted) throw signal.reason;
    throw fileError(path, "a file that can be written", cause);
  } finally {
    unfinished.delete(temporary);
  }
}

/** Proves that a file could be written at this path, without touching what may be there. @throws the system's error. */
export async function tryWriting(path: string): Promise<void> {
  const temporary = temporaryFor(path);
  try {
    await (await open(temporary, "wx")).close();
    await unlink(temporary);
  } finally {
    unfinished.delete(temporary);
  }
}

function temporaryFor(path: string): string {
  if (count === 0) process.once("exit", removeUnfinished);
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}-${count++}.tmp`);
  unfinished.add(temporary);
  return temporary;
}

function removeUnfinished(): void {
  for (const path of unfinished) {
    try {
      unlinkSync(path);
    } catch {
      // It was renamed or never made: either way it is not there.
    }
  }
}
