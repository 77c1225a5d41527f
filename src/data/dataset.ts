/** @file What a data set is: facts about it, the files that it is made of, and how its images are read. */

import type { ByteSource } from "../core/byte-source.ts";
import { FormatError, InputError } from "../core/errors.ts";
import { sha256Hex } from "../core/hash.ts";
import { rowsOf } from "../tensor/rows.ts";
import type { TensorOf } from "../tensor/tensor.ts";
import { expandIdx } from "./idx.ts";

/** Parts of a data set that never mix. */
export type Split = "train" | "test";

/** One file of a data set as its authors publish it. */
export interface DatasetFile {
  /** File name, ending in `.gz` where it is gzipped. */
  readonly name: string;
  /** Where it can be downloaded, best first. */
  readonly urls: readonly string[];
  /** Size and SHA-256 of the published file. */
  readonly bytes: number;
  readonly sha256: string;
  /** SHA-256 of what is inside, which is the same however often somebody packed it anew. */
  readonly contentSha256: string;
}

/** Images with their classes. */
export interface LabelledImages {
  /** [N, C, H, W] */
  readonly images: TensorOf<"uint8">;
  /** N class ids. */
  readonly labels: Uint8Array;
}

/** A data set as plain data, and the one function that reads it. */
export interface Dataset {
  /** kebab-case. */
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  readonly homepage: string;
  /** Paper. */
  readonly source: string;
  /** SPDX identifier where there is one. */
  readonly licence: string;
  /** Names of the classes; the index is the id. */
  readonly classes: readonly string[];
  readonly dims: { readonly channels: number; readonly height: number; readonly width: number };
  readonly splits: Readonly<Record<Split, { readonly items: number; readonly files: readonly DatasetFile[] }>>;
  /** Folders where packages of operating systems put it. */
  readonly folders: readonly string[];
  /**
   * Reads one split into memory.
   * @param source the folder of its files, packed or unpacked.
   * @throws InputError when a file is missing, FormatError when one is not what it should be.
   */
  read(source: ByteSource, split: Split, signal?: AbortSignal): Promise<LabelledImages>;
}

/** All files of a data set, those of the training split first. */
export function filesOf(dataset: Dataset): readonly DatasetFile[] {
  return [...dataset.splits.train.files, ...dataset.splits.test.files];
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
 * Checks that bytes are a file of a data set, as published or packed in another way.
 * @returns SHA-256 of the bytes as given.
 * @throws FormatError with both checksums when they are not.
 */
export function verifyFile(file: DatasetFile, bytes: Uint8Array): string {
  const own = sha256Hex(bytes);
  if (own === file.sha256) return own;
  const content = sha256Hex(expandIdx(bytes, file.name));
  if (content === file.contentSha256) return own;
  throw new FormatError(
    `${file.name}: expected the content with SHA-256 ${file.contentSha256}, got ${content}. Download it again.`,
  );
}

/** What {@link checkDataset} found out about one file. */
export interface FileCheck {
  readonly name: string;
  readonly found: boolean;
  /** SHA-256 of the file as it lies there, `undefined` when it is not there. */
  readonly sha256: string | undefined;
  /** Why the file is not right, `undefined` when it is. */
  readonly problem: string | undefined;
}

/** Looks for every file of a data set and verifies it. Nothing is thrown for missing or damaged files. */
export async function checkDataset(dataset: Dataset, source: ByteSource, signal?: AbortSignal): Promise<FileCheck[]> {
  const checks: FileCheck[] = [];
  for (const file of filesOf(dataset)) {
    signal?.throwIfAborted();
    let bytes: Uint8Array | undefined;
    try {
      bytes = await openFile(file, source, signal);
      checks.push({ name: file.name, found: true, sha256: verifyFile(file, bytes), problem: undefined });
    } catch (error) {
      if (!(error instanceof InputError || error instanceof FormatError)) throw error;
      const sha256 = bytes === undefined ? undefined : sha256Hex(bytes);
      checks.push({ name: file.name, found: bytes !== undefined, sha256, problem: error.message });
    }
  }
  return checks;
}

/** Some images of a split, in order. */
export interface Batch extends LabelledImages {
  /** Index of the first image within the split. */
  readonly start: number;
}

/**
 * One split in batches of `size`, the last one smaller where it does not fit. The tensors are views.
 * @throws whatever `dataset.read` throws, before the first batch.
 */
export async function* batchesOf(
  dataset: Dataset,
  source: ByteSource,
  { split, size, signal }: { readonly split: Split; readonly size: number; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<Batch> {
  const { images, labels } = await dataset.read(source, split, signal);
  for (let start = 0; start < labels.length; start += size) {
    signal?.throwIfAborted();
    const end = Math.min(start + size, labels.length);
    yield { start, images: rowsOf(images, start, end), labels: labels.subarray(start, end) };
  }
}
