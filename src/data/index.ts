/** @file Data: numpy's and MNIST's file formats, data sets, downloads. */
export {
  type Batch,
  batchesOf,
  checkDataset,
  type Dataset,
  type DatasetFile,
  type FileCheck,
  filesOf,
  type LabelledImages,
  openFile,
  type Split,
  verifyFile,
} from "./dataset.ts";
export { type Download, type DownloadSink, fetchFile } from "./download.ts";
export { readIdx } from "./idx.ts";
export { parseLabels } from "./labels.ts";
export { readNpy, writeNpy } from "./npy.ts";
export { type NpzLimits, readNpz, writeNpz } from "./npz.ts";
export { datasets } from "./registry.ts";
