/** @file Downloads the files of a data set into a folder: whole, verified, resumed where an earlier attempt stopped. */
import { createReadStream } from "node:fs";
import { appendFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { EndpointError, FormatError, InputError } from "../core/errors.ts";
import { type Dataset, type DatasetFile, filesOf } from "../data/dataset.ts";
import { type DownloadSink, fetchFile } from "../data/download.ts";
import { verifyFile } from "../data/verify-file.ts";
import { fetchPackage } from "./fetch-package.ts";
import { fileError, systemCode } from "./file-error.ts";
import { makeFolders } from "./make-folders.ts";
import { readWhole } from "./read-whole.ts";

/** What a download needs beside its data set. */
export interface DatasetDownload {
  readonly fetch: typeof globalThis.fetch;
  readonly signal?: AbortSignal | undefined;
  /** Called with the bytes so far and in all, over the files that are missing. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Fetches the files of a data set that are not in the folder yet, or not what they should be.
 * Files that are packages are fetched by their package manager, as it is set up on this machine.
 * @throws EndpointError when no address of a file answers, FormatError when what all of them give has a wrong checksum,
 * InputError when the folder cannot be written, the signal's reason when aborted (what arrived is kept for next time).
 */
export async function downloadDataset(dataset: Dataset, folder: string, download: DatasetDownload): Promise<void> {
  await makeFolders(folder).catch((cause: unknown) => {
    throw fileError(folder, "a folder that can be written", cause);
  });
  const missing: DatasetFile[] = [];
  for (const file of filesOf(dataset)) if (!(await isGood(file, join(folder, file.name)))) missing.push(file);
  const total = missing.reduce((sum, { bytes }) => sum + bytes, 0);
  let before = 0;
  for (const file of missing) {
    const start = before;
    await obtain(file, join(folder, file.name), {
      ...download,
      onProgress: (done) => download.onProgress?.(start + Math.min(done, file.bytes), total),
    });
    before += file.bytes;
  }
}

async function isGood(file: DatasetFile, path: string): Promise<boolean> {
  try {
    verifyFile(file, await readWhole(path));
    return true;
  } catch (error) {
    if (error instanceof FormatError || error instanceof InputError) return false;
    throw error;
  }
}

/** A file from its package manager, or from its addresses. */
async function obtain(file: DatasetFile, path: string, download: DatasetDownload): Promise<void> {
  if (file.package === undefined) return downloadFile(file, path, download);
  await fetchPackage(file, path, download.signal);
  download.onProgress?.(file.bytes, file.bytes);
}

/** Tries the addresses one after the other; the last one's failure is the one that is told. */
async function downloadFile(file: DatasetFile, path: string, download: DatasetDownload): Promise<void> {
  const part = `${path}.part`;
  let failure: unknown = new EndpointError(`${file.name}: expected an address to download it from, got none.`);
  for (const url of file.urls) {
    try {
      await fetchFile({
        url,
        fetch: download.fetch,
        sink: fileSink(part),
        limit: file.bytes,
        sha256: file.sha256,
        md5: file.md5,
        signal: download.signal,
        onProgress: download.onProgress === undefined ? undefined : (done) => download.onProgress?.(done, file.bytes),
      });
      return await rename(part, path);
    } catch (error) {
      if (error instanceof EndpointError || error instanceof FormatError) failure = error;
      else throw systemCode(error) === undefined ? error : fileError(path, "a file that can be written", error);
    }
  }
  throw failure;
}

/** A file that grows, and is read again to go on. */
function fileSink(path: string): DownloadSink {
  return {
    async *existing() {
      try {
        for await (const piece of createReadStream(path)) yield piece as Uint8Array;
      } catch (error) {
        if (systemCode(error) !== "ENOENT") throw error;
      }
    },
    write: (piece) => appendFile(path, piece),
    restart: () => rm(path, { force: true }),
  };
}
