/** @file Public door of `node/`: what a program on Node needs around the portable rooms. */
export { type ArrayPictures, isArrayFile, openArrayPictures } from "./array-pictures.ts";
export { type BatchWorker, openBatchWorker } from "./batch-worker.ts";
export { type CheckpointFile, checkpointFile } from "./checkpoint-file.ts";
export { nodeDecoders } from "./decoders.ts";
export { type DatasetDownload, downloadDataset } from "./download-dataset.ts";
export { dataHome, datasetFolders, type Environment, findDataset } from "./find-dataset.ts";
export { folderSource } from "./folder-source.ts";
export { int8Store } from "./int8-store.ts";
export { type ListedFile, listImages } from "./list-images.ts";
export { type ClassifierSettings, isAddress, openClassifierAt, openWhiteBoxAt } from "./open-classifier.ts";
export { type OpenDataset, openDataset } from "./open-dataset.ts";
export { openPictures, type PictureSet } from "./open-pictures.ts";
export { openPriorAt } from "./open-prior.ts";
export { openRuntime } from "./open-runtime.ts";
export { type OutputFolder, prepareOutput } from "./output-folder.ts";
export { modelFolder, openOwnTrigger } from "./own-trigger.ts";
export { readCalibration } from "./read-calibration.ts";
export { readJsonIfThere } from "./read-json.ts";
export { readLabelNames } from "./read-labels.ts";
export { readWhole } from "./read-whole.ts";
export { type RepairDataOptions, readRepairData } from "./repair-data.ts";
export {
  cachedReferences,
  folderReferences,
  openReferences,
  type ReferenceRequest,
} from "./scan/open-references.ts";
export { type GivenImages, readScanImages } from "./scan/scan-images.ts";
export { writeScanReport } from "./scan/write-report.ts";
export { readTrainingData, type TrainingDataOptions } from "./training-data.ts";
export { writeWhole } from "./write-whole.ts";
