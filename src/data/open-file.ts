/** @file From a file of a data set to its bytes, and from an archive to the files inside, packed or unpacked alike. */
import type { ByteSource } from "../core/byte-source.ts";
import { FormatError, InputError } from "../core/errors.ts";
import type { DatasetFile, Packing } from "./dataset.ts";
import { readTar } from "./tar.ts";
import { expandEntry, looksLikeZip, readZip } from "./zip.ts";

/** How much of an archive is read. */
export interface ArchiveLimits {
  /** Most files; 1,000,000 when left out. */
  readonly maxFiles?: number;
  /** Most bytes of one file when expanded; 64 MiB when left out. */
  readonly maxFileBytes?: number;
  /** Most bytes of all files together when expanded; 4 GiB when left out. */
  readonly maxBytes?: number;
}

/**
 * The bytes of a file under its published name, or unpacked under the name without `.gz`.
 * @throws InputError when there is neither.
 */
export async function openFile(file: DatasetFile, source: ByteSource, signal?: AbortSignal): Promise<Uint8Array> {
  try {
    return await source(file.name, signal);
  } catch (error) {
    if (!(error instanceof InputError) || !file.name.endsWith(".gz")) throw error;
    // The sentence about the published name is the one that helps; keep it when the other is missing too.
    return await source(file.name.slice(0, -".gz".length), signal).catch(() => Promise.reject(error));
  }
}

/**
 * The files inside an archive by their names without what all begin with; those of the folder where somebody unpacked
 * it, when the archive itself is not there.
 * @param isWanted the files that may be asked for; a tar archive keeps no others in memory.
 * @throws InputError when there is neither archive nor folder; the returned source throws InputError for a file that
 * is not inside, FormatError for one that is damaged or larger than allowed.
 */
export async function openArchive(
  file: DatasetFile,
  source: ByteSource,
  {
    isWanted,
    signal,
    ...limits
  }: ArchiveLimits & { readonly isWanted: (name: string) => boolean; readonly signal?: AbortSignal | undefined },
): Promise<ByteSource> {
  const { inside = "", unpacked = "", marks = [] } = file.contents ?? {};
  const archive = await source(file.name, signal).catch((error: unknown) => error);
  if (!(archive instanceof Uint8Array)) {
    if (!(archive instanceof InputError)) throw archive;
    const [mark] = marks;
    if (mark === undefined) throw archive;
    await source(unpacked + mark, signal).catch(() => Promise.reject(archive));
    return (name, stop) => source(unpacked + name, stop);
  }
  const files = looksLikeZip(archive)
    ? zipFiles(archive, file.name, limits)
    : tarFiles(archive, file.name, {
        ...limits,
        isWanted: (name) => name.startsWith(inside) && isWanted(name.slice(inside.length)),
      });
  return async (name) => {
    const bytes = files(inside + name);
    if (bytes === undefined) throw new InputError(`${file.name}: expected the file ${inside}${name} inside, got none.`);
    return bytes;
  };
}

type Files = (name: string) => Uint8Array | undefined;

function zipFiles(
  bytes: Uint8Array,
  name: string,
  { maxFiles = 1_000_000, maxFileBytes = 2 ** 26 }: ArchiveLimits,
): Files {
  const entries = readZip(bytes, name, maxFiles);
  return (path) => {
    const entry = entries.get(path);
    if (entry === undefined) return undefined;
    if (entry.size > maxFileBytes) {
      throw new FormatError(`${name}: expected at most ${maxFileBytes} bytes for ${path}, got ${entry.size}.`);
    }
    return expandEntry(entry, name);
  };
}

function tarFiles(
  bytes: Uint8Array,
  name: string,
  {
    maxFiles = 1_000_000,
    maxFileBytes = 2 ** 26,
    maxBytes = 2 ** 32,
    isWanted,
  }: ArchiveLimits & { readonly isWanted: (name: string) => boolean },
): Files {
  const files = readTar(bytes, name, { maxFiles, maxFileBytes, maxBytes, isWanted });
  return (path) => files.get(path);
}

/**
 * Reads with the first packing whose files are there.
 * @throws what the first one threw, when the files of none are.
 */
export async function firstPacking<P extends Packing, T>(
  packings: readonly P[],
  read: (packing: P) => Promise<T>,
): Promise<T> {
  let missing: unknown;
  for (const packing of packings) {
    try {
      return await read(packing);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      missing ??= error;
    }
  }
  throw missing;
}
