/** @file Data sets laid out as MNIST is: an IDX file of grey images and one of labels for each split. */
import type { ByteSource } from "../core/byte-source.ts";
import { FormatError } from "../core/errors.ts";
import { formatDims } from "../tensor/shape.ts";
import type { TensorOf } from "../tensor/tensor.ts";
import { type Dataset, type DatasetFile, openFile, type Split } from "./dataset.ts";
import { readIdx } from "./idx.ts";

/** Name, size and both checksums of one file; see `DatasetFile`. */
export interface IdxFile {
  readonly bytes: number;
  readonly sha256: string;
  readonly contentSha256: string;
}

/** What tells one such data set from another. */
export interface IdxDatasetFacts
  extends Pick<Dataset, "name" | "summary" | "homepage" | "source" | "licence" | "classes" | "folders"> {
  /** Addresses of folders that hold the four files, best first. */
  readonly mirrors: readonly string[];
  /** Images are grey squares of this size. */
  readonly size: number;
  readonly items: Readonly<Record<Split, number>>;
  readonly files: Readonly<Record<IdxFileName, IdxFile>>;
}

/** The names that all four files have had since 1998. */
export type IdxFileName =
  | "train-images-idx3-ubyte"
  | "train-labels-idx1-ubyte"
  | "t10k-images-idx3-ubyte"
  | "t10k-labels-idx1-ubyte";

/** A data set of four IDX files. */
export function idxDataset({ mirrors, size, items, files, ...facts }: IdxDatasetFacts): Dataset {
  const fileOf = (name: IdxFileName): DatasetFile => ({
    name: `${name}.gz`,
    urls: mirrors.map((mirror) => `${mirror}${name}.gz`),
    ...files[name],
  });
  const layout = {
    train: { images: fileOf("train-images-idx3-ubyte"), labels: fileOf("train-labels-idx1-ubyte") },
    test: { images: fileOf("t10k-images-idx3-ubyte"), labels: fileOf("t10k-labels-idx1-ubyte") },
  };
  const splitOf = (split: Split): Dataset["splits"][Split] => ({
    items: items[split],
    files: [layout[split].images, layout[split].labels],
  });
  return {
    ...facts,
    dims: { channels: 1, height: size, width: size },
    splits: { train: splitOf("train"), test: splitOf("test") },
    read: async (source, split, signal) => {
      const { images, labels } = layout[split];
      const count = items[split];
      const pixels = await readBytes(images, source, { dims: [count, size, size], signal });
      const ids = await readBytes(labels, source, { dims: [count], signal });
      const wrong = ids.data.findIndex((id) => id >= facts.classes.length);
      if (wrong !== -1) {
        throw new FormatError(
          `${labels.name}: expected class ids below ${facts.classes.length}, got ${ids.data[wrong]} at ${wrong}.`,
        );
      }
      return { images: { ...pixels, dims: [count, 1, size, size] }, labels: ids.data };
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
