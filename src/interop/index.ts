/** @file Other toolkits' files: BackdoorBench, backdoor-toolbox, TrojanZoo, TrojAI. Read as data, never run. */
export { type BackdoorToolboxFiles, type BackdoorToolboxSet, readBackdoorToolboxSet } from "./backdoor-toolbox.ts";
export {
  type BackdoorBenchResult,
  type PoisonedItem,
  type PoisonedPart,
  readBackdoorBench,
  readPoisonIndices,
} from "./backdoorbench.ts";
export { type BackdoorBenchPreprocessing, backdoorBenchClassifier } from "./backdoorbench-classifier.ts";
export { type PictureReading, type PoisonedImages, readPoisonedImages } from "./backdoorbench-pictures.ts";
export {
  type BackdoorBenchLayout,
  type BackdoorBenchToWrite,
  type PartToWrite,
  writeBackdoorBench,
} from "./backdoorbench-writer.ts";
export {
  type ForeignPlace,
  IMPORT_SCHEMA,
  type Imported,
  type ImportOptions,
  importFiles,
} from "./import-files.ts";
export { type ForeignKind, recognise } from "./recognise.ts";
export { type ArrayToWrite, type TupleToWrite, type Writable, writeTorchFile } from "./torch-writer.ts";
export {
  readTrojaiMetadata,
  readTrojaiModel,
  type TrojaiExample,
  type TrojaiFiles,
  type TrojaiModel,
  type TrojaiRow,
  type TrojaiTrigger,
} from "./trojai.ts";
export {
  readTrojanZooMark,
  readTrojanZooParameters,
  type TrojanZooOptions,
  type TrojanZooParameters,
} from "./trojanzoo.ts";
