/** @file The folder that a run writes to, tried before any work and removed again when nothing came of it. */
import { rmdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileError } from "./file-error.ts";
import { makeFolders } from "./make-folders.ts";
import { tryWriting } from "./write-whole.ts";

/** A folder that exists and can be written. */
export interface OutputFolder {
  readonly path: string;
  /** Removes what {@link prepareOutput} made, unless something has been written there since. */
  discard(): Promise<void>;
}

/**
 * Makes a folder, or takes the one that is there, and proves that files can be written into it.
 * @throws InputError when not; then nothing has changed.
 */
export async function prepareOutput(folder: string): Promise<OutputFolder> {
  const path = resolve(folder);
  const first = await makeFolders(path).catch((cause: unknown) => {
    throw fileError(folder, "a folder that can be written", cause);
  });
  const discard = async (): Promise<void> => {
    if (first === undefined) return;
    for (let made = path; ; made = dirname(made)) {
      // Not empty, or already gone: the rest stays as it is.
      if (
        !(await rmdir(made).then(
          () => true,
          () => false,
        )) ||
        made === resolve(first)
      )
        return;
    }
  };
  try {
    await tryWriting(join(path, "probe"));
  } catch (cause) {
    await discard();
    throw fileError(folder, "a folder that can be written", cause);
  }
  return { path, discard };
}
