/** @file Data sets laid out as CIFAR is: an archive of batches, in a binary and in a Python version. */
import type { ByteSource } from "../core/byte-source.ts";
import { takeRows } from "./choose-rows.ts";
import { CIFAR_PIXELS, type CifarBatch, type CifarTarget, readCifarBinary, readCifarPickle } from "./cifar-records.ts";
import type { Dataset, DatasetFile, Packing, Part, ReadOptions } from "./dataset.ts";
import { needDecoder } from "./decoders.ts";
import { firstPacking, openArchive } from "./open-file.ts";

/** One version: its archive, and the batches that each part is made of. */
export interface CifarVersion extends Pick<DatasetFile, "bytes" | "sha256"> {
  /** Name of the archive without `.tar.gz`. */
  readonly archive: string;
  /** Folder inside the archive. */
  readonly folder: string;
  readonly batches: Readonly<Record<Part, readonly string[]>>;
}

/** What tells one such data set from another. */
export interface CifarFacts
  extends Pick<Dataset, "name" | "summary" | "homepage" | "source" | "licence" | "classes" | "items" | "hashes"> {
  readonly hasCoarseLabel: boolean;
  /** Address of the folder that holds both archives. */
  readonly mirror: string;
  readonly binary: CifarVersion;
  readonly python: CifarVersion;
}

/** A data set of 32 x 32 colour images in two archives, each of which holds all of it. */
export function cifarDataset({ hasCoarseLabel, mirror, binary, python, ...facts }: CifarFacts): Dataset {
  const packings: (Packing & { readonly version: CifarVersion })[] = [
    { name: "binary", files: [archiveOf(binary, mirror)], version: binary },
    { name: "python", files: [archiveOf(python, mirror)], version: python },
  ];
  return {
    ...facts,
    dims: { channels: 3, height: 32, width: 32 },
    packings,
    folders: [],
    read: (source, part, options = {}) =>
      firstPacking(packings, async ({ name: format, files, version }) => {
        const count = facts.items[part];
        const pixels = new Uint8Array(count * CIFAR_PIXELS);
        const labels = new Uint16Array(count);
        const names = version.batches[part];
        const batch: CifarBatch = { count: count / names.length, classes: facts.classes.length, hasCoarseLabel };
        const batches = await openBatches(files, names, { source, options });
        for (const [i, name] of names.entries()) {
          const target: CifarTarget = { pixels, labels, start: i * batch.count };
          const bytes = await batches(name, options.signal);
          const path = `${version.folder}/${name}`;
          if (format === "binary") readCifarBinary(bytes, path, batch, target);
          else {
            const read = needDecoder(options.decoders, "pickle", facts.name);
            readCifarPickle({ bytes, name: path, read }, batch, target);
          }
        }
        return takeRows({ dtype: "uint8", dims: [count, 3, 32, 32], data: pixels }, { labels }, options);
      }),
  };
}

function archiveOf({ archive, folder, batches, bytes, sha256 }: CifarVersion, mirror: string): DatasetFile {
  const name = `${archive}.tar.gz`;
  const marks = [...batches.train, ...batches.test];
  return {
    name,
    urls: [mirror + name],
    bytes,
    ...(sha256 === undefined ? {} : { sha256 }),
    contents: { inside: `${folder}/`, unpacked: `${folder}/`, marks },
  };
}

async function openBatches(
  [archive]: readonly DatasetFile[],
  names: readonly string[],
  { source, options: { signal } }: { readonly source: ByteSource; readonly options: ReadOptions },
): Promise<ByteSource> {
  if (archive === undefined) return source;
  // The longest file is CIFAR-100's `train` with its 50,000 file names.
  const limits = { maxFiles: 100, maxFileBytes: 2 ** 28, maxBytes: 2 ** 29 };
  return openArchive(archive, source, { ...limits, isWanted: (name) => names.includes(name), signal });
}
