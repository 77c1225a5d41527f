/** @file A folder of the static site as a source of bytes, telling how much of it has come. */
import { type ByteSource, InputError } from "untrigger/core";
import type { Folder } from "../page-config.ts";

/** Reads the files that `page.json` lists, and asks the server for no others. */
export function folderSource(folder: Folder, base: string, received: (bytes: number) => void): ByteSource {
  return async (name, signal) => {
    if (!Object.hasOwn(folder.files, name)) throw new InputError(`${name}: expected a file, got none.`);
    const response = await fetch(new URL(folder.at + name, base), signal === undefined ? {} : { signal });
    if (!response.ok || response.body === null) {
      throw new InputError(`${name}: expected a file, got HTTP ${response.status}.`);
    }
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (const reader = response.body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      received(value.length);
    }
    return new Uint8Array(await new Blob(parts).arrayBuffer());
  };
}
