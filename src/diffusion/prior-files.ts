/** @file The files of a prior's folder: some may be there or not. */
import type { ByteSource } from "../core/byte-source.ts";
import { FormatError, InputError, messageOf } from "../core/errors.ts";

/** Bytes of a file with the name they were found under. */
export interface FoundFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The first of several files that is there; undefined when none is. @throws InputError for one that cannot be read. */
export async function firstThere(
  source: ByteSource,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<FoundFile | undefined> {
  for (const name of names) {
    try {
      return { name, bytes: await source(name, signal) };
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  }
  return undefined;
}

/** A parsed JSON file with the name it was found under. */
export interface FoundJson {
  readonly name: string;
  readonly value: unknown;
}

/**
 * The first of several JSON files that is there; undefined when none is.
 * @throws FormatError when it is no JSON, InputError when it cannot be read.
 */
export async function firstJson(
  source: ByteSource,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<FoundJson | undefined> {
  const found = await firstThere(source, names, signal);
  if (found === undefined) return undefined;
  try {
    return { name: found.name, value: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(found.bytes)) };
  } catch (cause) {
    throw new FormatError(`${found.name}: expected JSON, got other text; because ${messageOf(cause)}.`, { cause });
  }
}

/** A value of a JSON object; undefined when the value is no object or lacks the key. */
export function field(json: unknown, key: string): unknown {
  if (typeof json !== "object" || json === null || !Object.hasOwn(json, key)) return undefined;
  return (json as Record<string, unknown>)[key];
}

/** Sources answer InputError for a missing file; where the platform's reason is known, only that one counts. */
function isAbsent(error: unknown): boolean {
  if (!(error instanceof InputError)) return false;
  const code = field(error.cause, "code");
  return typeof code !== "string" || code === "ENOENT" || code === "ENOTDIR";
}
