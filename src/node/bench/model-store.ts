/** @file The models of a bench by their keys: folders that appear whole or not at all. */
import { randomUUID } from "node:crypto";
import { readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileError, systemCode } from "../file-error.ts";
import { makeFolders } from "../make-folders.ts";
import { writeWhole } from "../write-whole.ts";

/** Models below one folder, and those that lie elsewhere. */
export interface ModelStore {
  /** Where the model of a key is, or will be. */
  folderOf(key: string): string;
  /** Where the state of its training is kept. */
  checkpointOf(key: string): string;
  has(key: string): Promise<boolean>;
  /** Writes a model's files, unless they are there already, and drops its checkpoint. @throws InputError. */
  save(key: string, files: Readonly<Record<string, Uint8Array>>): Promise<void>;
  /** Removes what died half-written; only for whoever owns the folder alone. */
  tidy(): Promise<void>;
}

const UNFINISHED = ".unfinished-";

/** The models below a folder. @param elsewhere folders of models that lie elsewhere, by key. */
export function modelStore(folder: string, elsewhere: ReadonlyMap<string, string> = new Map()): ModelStore {
  const folderOf = (key: string): string => elsewhere.get(key) ?? join(folder, key);
  const checkpointOf = (key: string): string => join(folder, `${key}.checkpoint.safetensors`);
  const isThere = (key: string): Promise<boolean> =>
    stat(folderOf(key)).then(
      (found) => found.isDirectory(),
      () => false,
    );
  return {
    folderOf,
    checkpointOf,
    has: isThere,
    async save(key, files) {
      if (!(await isThere(key))) await writeFolder(folderOf(key), join(folder, `${UNFINISHED}${randomUUID()}`), files);
      await rm(checkpointOf(key), { force: true });
    },
    async tidy() {
      const names = await readdir(folder).catch(() => []);
      for (const name of names.filter((each) => each.startsWith(UNFINISHED))) {
        await rm(join(folder, name), { recursive: true, force: true });
      }
    },
  };
}

async function writeFolder(
  path: string,
  temporary: string,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<void> {
  await makeFolders(temporary).catch((cause: unknown) => {
    throw fileError(path, "a folder that can be written", cause);
  });
  try {
    for (const [name, bytes] of Object.entries(files)) await writeWhole(join(temporary, name), bytes, { sync: true });
    await rename(temporary, path).catch((cause: unknown) => {
      // Somebody else was first: with the same key it is the same model.
      if (!["EEXIST", "ENOTEMPTY"].includes(systemCode(cause) ?? "")) {
        throw fileError(path, "a folder that can be written", cause);
      }
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
