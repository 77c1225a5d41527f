/** @file Data: numpy's, MNIST's and CIFAR's file formats, data sets and their splits, downloads. */
export { type Batch, batchesOf } from "./batches.ts";
export { checkDataset, type FileCheck } from "./check-dataset.ts";
export {
  type ArchiveContents,
  type Dataset,
  type DatasetFile,
  filesOf,
  type ImageDims,
  type ImageIndex,
  type LabelledImages,
  type Packing,
  type Part,
  parts,
  type ReadOptions,
} from "./dataset.ts";
export type { DecodedPicture, Decoders, PickleReader, PictureDecoder, PictureWish } from "./decoders.ts";
export { type Download, type DownloadSink, fetchFile } from "./download.ts";
export { readIdx } from "./idx.ts";
export { parseLabels } from "./labels.ts";
export { readNpy, writeNpy } from "./npy.ts";
export { type NpzLimits, readNpz, writeNpz } from "./npz.ts";
export { openFile } from "./open-file.ts";
export { datasets } from "./registry.ts";
export { drawShape } from "./shapes.ts";
export {
  contentHash,
  heldOutRows,
  readSplit,
  type Split,
  type SplitContent,
  splitContents,
  splits,
  VALIDATION_SHARE,
  validationRows,
} from "./splits.ts";
export { type Proof, type Verified, verifyFile } from "./verify-file.ts";
