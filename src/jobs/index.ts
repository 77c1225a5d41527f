export {
  CALIBRATION_SCHEMA,
  type CalibrationFile,
  findCalibration,
  parseCalibration,
  type Threshold,
  thresholdFrom,
} from "./calibration.ts";
export { type JudgedBatch, type OpenPurifier, openPurifier, type PurifierAssets } from "./open-purifier.ts";
export { type PictureConsent, type PictureNeeds, preparePicture } from "./prepare.ts";
export {
  type PurifiedPicture,
  type PurifyHost,
  type PurifyRequest,
  purifyPictures,
  purifyRequest,
} from "./purify.ts";
export { MAX_VOTES, type MethodChoice, planVotes, type VotePlan } from "./votes.ts";
