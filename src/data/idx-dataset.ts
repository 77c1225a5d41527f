/** @file Data sets laid out as MNIST is: an IDX file of grey images and one of labels for each split. */
import type { ByteSource } from "../core/byte-source.ts";
import { FormatError } from "../core/errors.ts";
import { formatDims } from "../tensor/shape.ts";
import type { TensorOf } from "../tensor/tensor.ts";
import { checkLabels } from "./check-labels.ts";
import { takeRows } from "./choose-rows.ts";
import type { Dataset, DatasetFile, Part } from "./dataset.ts";
import { readIdx } from "./idx.ts";
import { openFile } from "./open-file.ts";

/** Name, size and both checksums of one file; see `DatasetFile`. */
export interface IdxFile {
  readonly bytes: number;
  readonly sha256: string;
  readonly contentSha256: string;
}

/** What tells one such data set from another. */
export interface IdxDatasetFacts
  extends Pick<
    Dataset,
    "name" | "summary" | "homepage" | "source" | "licence" | "classes" | "folders" | "items" | "hashes"
  > {
  /** Addresses of folders that hold the four files, best first. */
  readonly mirrors: readonly string[];
  /** Images are grey squares of this size. */
  readonly size: number;
  readonly files: Readonly<Record<IdxFileName, IdxFile>>;
}

/** The names that all four files have had since 1998. */
export type IdxFileName =
  | "train-images-idx3-ubyte"
  | "train-labels-idx1-ubyte"
  | "t10k-images-idx3-ubyte"
  | "t10k-labels-idx1-ubyte";

/** A data set of four IDX files. */
export function idxDataset({ mirrors, size, files, ...facts }: IdxDatasetFacts): Dataset {
  const fileOf = (name: IdxFileName): DatasetFile => ({
    name: `${name}.gz`,
    urls: mirrors.map((mirror) => `${mirror}${name}.gz`),
    ...files[name],
  });
  const layout: Record<Part, { images: DatasetFile; labels: DatasetFile }> = {
    train: { images: fileOf("train-images-idx3-ubyte"), labels: fileOf("train-labels-idx1-ubyte") },
    test: { images: fileOf("t10k-images-idx3-ubyte"), labels: fileOf("t10k-labels-idx1-ubyte") },
  };
  const { train, test } = layout;
  return {
    ...facts,
    dims: { channels: 1, height: size, width: size },
    packings: [{ name: "idx", files: [train.images, train.labels, test.images, test.labels] }],
    read: async (source, part, options = {}) => {
      const { images, labels } = layout[part];
      const { signal } = options;
      const count = facts.items[part];
      const pixels = await readBytes(images, source, { dims: [count, size, size], signal });
      const ids = await readBytes(labels, source, { dims: [count], signal });
      checkLabels(labels.name, ids.data, facts.classes.length);
      return takeRows({ ...pixels, dims: [count, 1, size, size] }, { labels: Uint16Array.from(ids.data) }, options);
    },
  };
}

async function readBytes(
  file: DatasetFile,
  source: ByteSource,
  { dims, signal }: { readonly dims: readonly number[]; readonly signal: AbortSignal | undefined },
): Promise<TensorOf<"uint8">> {
  const t = readIdx(await openFile(file, source, signal), file.name);
  if (t.dtype === "uint8" && formatDims(t.dims) === formatDims(dims)) return t;
  throw new FormatError(`${file.name}: expected uint8 ${formatDims(dims)}, got ${t.dtype} ${formatDims(t.dims)}.`);
}
