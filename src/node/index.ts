/** @file Public door of `node/`: what a program on Node needs around the portable rooms. */
export { type ArrayPictures, isArrayFile, openArrayPictures } from "./array-pictures.ts";
export { nodeDecoders } from "./decoders.ts";
export { type DatasetDownload, downloadDataset } from "./download-dataset.ts";
export { dataHome, datasetFolders, type Environment, findDataset } from "./find-dataset.ts";
export { folderSource } from "./folder-source.ts";
export { int8Store } from "./int8-store.ts";
export { type ListedFile, listImages } from "./list-images.ts";
export { type ClassifierSettings, isAddress, openClassifierAt } from "./open-classifier.ts";
export { type OpenDataset, openDataset } from "./open-dataset.ts";
export { openPictures, type PictureSet } from "./open-pictures.ts";
export { openPriorAt } from "./open-prior.ts";
export { openRuntime } from "./open-runtime.ts";
export { type OutputFolder, prepareOutput } from "./output-folder.ts";
export { readCalibration } from "./read-calibration.ts";
export { readJsonIfThere } from "./read-json.ts";
export { readLabelNames } from "./read-labels.ts";
export { readWhole } from "./read-whole.ts";
export { writeWhole } from "./write-whole.ts";
