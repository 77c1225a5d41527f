/** @file JSON files beside a model. */
import type { ByteSource } from "../core/byte-source.ts";
import { FormatError, InputError, messageOf } from "../core/errors.ts";
import { systemCode } from "./file-error.ts";

/**
 * A parsed JSON file of a folder; undefined when there is no such file.
 * @throws FormatError when it is no JSON, InputError when it is there but cannot be read.
 */
export async function readJsonIfThere(source: ByteSource, name: string): Promise<unknown> {
  const bytes = await readIfThere(source, name);
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new FormatError(`${name}: expected JSON, got other text; because ${messageOf(cause)}.`, { cause });
  }
}

/** The bytes of a file of a folder; undefined when there is no such file. @throws InputError when it cannot be read. */
export async function readIfThere(source: ByteSource, name: string): Promise<Uint8Array | undefined> {
  try {
    return await source(name);
  } catch (error) {
    if (error instanceof InputError && systemCode(error.cause) === "ENOENT") return undefined;
    throw error;
  }
}
