/** @file The models that ship in the repository, as sources of bytes. */
import { existsSync, readFileSync } from "node:fs";
import type { ByteSource } from "../../src/core/byte-source.ts";
import { InputError } from "../../src/core/errors.ts";

/** Files of a folder below models/. */
export function modelFiles(folder: string): ByteSource {
  return filesBelow(new URL(`../../models/${folder}/`, import.meta.url));
}

/** Files of a folder below test/golden. */
export function goldenFiles(folder: string): ByteSource {
  return filesBelow(new URL(`../golden/${folder}/`, import.meta.url));
}

/** Files of one source, some of them replaced, added or (undefined) taken away. */
export function withFiles(source: ByteSource, changes: Readonly<Record<string, Uint8Array | undefined>>): ByteSource {
  return async (name, signal) => {
    if (!Object.hasOwn(changes, name)) return source(name, signal);
    const bytes = changes[name];
    if (bytes === undefined) throw new InputError(`${name}: expected a file, got nothing there.`);
    return bytes;
  };
}

function filesBelow(root: URL): ByteSource {
  return async (name) => {
    const file = new URL(name, root);
    if (!existsSync(file)) throw new InputError(`${name}: expected a file, got nothing there.`);
    return readFileSync(file);
  };
}
