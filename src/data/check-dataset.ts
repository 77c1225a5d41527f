/** @file Looks for every file of a data set and says what is wrong with which. */
import type { ByteSource } from "../core/byte-source.ts";
import { FormatError, InputError } from "../core/errors.ts";
import { sha256Hex } from "../core/hash.ts";
import type { Dataset, DatasetFile } from "./dataset.ts";
import { openFile } from "./open-file.ts";
import { type Proof, verifyFile } from "./verify-file.ts";

/** What {@link checkDataset} found out about one file. */
export interface FileCheck {
  readonly name: string;
  readonly found: boolean;
  /** SHA-256 of the file as it lies there, `null` when it is not there, or lies there unpacked. */
  readonly sha256: string | null;
  /** By what it was recognised; `null` when it was not. An unpacked archive has nothing to be recognised by. */
  readonly verifiedBy: Proof | null;
  /** Why the file is not right, `null` when it is. */
  readonly problem: string | null;
}

/**
 * Checks the files of the packing that lies there, of the first one when none does. Nothing is thrown for missing or
 * damaged files.
 */
export async function checkDataset(
  { packings }: Pick<Dataset, "packings">,
  source: ByteSource,
  signal?: AbortSignal,
): Promise<FileCheck[]> {
  let first: FileCheck[] | undefined;
  for (const { files } of packings) {
    const checks: FileCheck[] = [];
    for (const file of files) {
      signal?.throwIfAborted();
      checks.push(await checkFile(file, source, signal));
    }
    if (checks.some(({ found }) => found)) return checks;
    first ??= checks;
  }
  return first ?? [];
}

async function checkFile(file: DatasetFile, source: ByteSource, signal: AbortSignal | undefined): Promise<FileCheck> {
  const { name } = file;
  let bytes: Uint8Array | undefined;
  try {
    bytes = await openFile(file, source, signal);
    const { sha256, by } = verifyFile(file, bytes);
    return { name, found: true, sha256, verifiedBy: by, problem: null };
  } catch (error) {
    if (!(error instanceof InputError || error instanceof FormatError)) throw error;
    const found = bytes !== undefined;
    if (!found && (await isUnpacked(file, source, signal))) {
      return { name, found: true, sha256: null, verifiedBy: "nothing", problem: null };
    }
    const sha256 = bytes === undefined ? null : sha256Hex(bytes);
    return { name, found, sha256, verifiedBy: null, problem: error.message };
  }
}

/** Whether all the files by which an unpacked archive is known are there. */
async function isUnpacked(
  { contents }: DatasetFile,
  source: ByteSource,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (contents === undefined) return false;
  for (const mark of contents.marks) {
    const bytes = await source(contents.unpacked + mark, signal).catch((error: unknown) => {
      if (error instanceof InputError) return undefined;
      throw error;
    });
    if (bytes === undefined) return false;
  }
  return true;
}
