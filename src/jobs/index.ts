export { answerOf, type JudgedScores } from "./answer.ts";
export { type ApplyHost, type ApplyRequest, applyTrigger } from "./attack/apply.ts";
export {
  type AttackChoice,
  type AttackHost,
  type AttackRequest,
  type AttackResult,
  attackJob,
  chooseAttack,
} from "./attack/attack.ts";
export { type EvasionCounts, type EvasionResult, evadeJob } from "./attack/evade.ts";
export { type BackdoorCounts, measureBackdoor } from "./attack/measure.ts";
export { measureCell } from "./bench/cell.ts";
export type { Answers, CellHost, CellMeasures } from "./bench/cell-host.ts";
export { type ExpandedPlan, expandPlan } from "./bench/expand.ts";
export {
  type BenchJob,
  benchJob,
  type CellDefence,
  type CellJob,
  type JobError,
  type JobResult,
  type ModelJob,
} from "./bench/job.ts";
export type {
  ChosenImages,
  ModelFacts,
  PlanHost,
  ReferenceFacts,
  SplitFacts,
  TrainingFacts,
} from "./bench/plan-host.ts";
export { type BenchHost, runCells } from "./bench/run.ts";
export { createWorkList, type Work, WorkerLost, type WorkList } from "./bench/work-list.ts";
export {
  CALIBRATION_SCHEMA,
  type CalibrationFile,
  findCalibration,
  parseCalibration,
  type Threshold,
  thresholdFrom,
} from "./calibration.ts";
export { type MethodEntry, type MethodsDocument, methodsDocument } from "./methods.ts";
export { type JudgedBatch, type OpenPurifier, openPurifier, type PurifierAssets } from "./open-purifier.ts";
export { type PictureConsent, type PictureNeeds, preparePicture } from "./prepare.ts";
export {
  type PurifiedPicture,
  type PurifyHost,
  type PurifyRequest,
  purifyPictures,
  purifyRequest,
} from "./purify.ts";
export {
  chooseRepair,
  type RepairChoice,
  type RepairData,
  type RepairHost,
  type RepairRequest,
  type RepairResult,
  repairJob,
} from "./repair/repair.ts";
export { chooseInverters, type InverterChoice } from "./scan/confirm.ts";
export { type ClassMeasure, type ModelMeasures, modelMeasures } from "./scan/measures.ts";
export {
  parseNetworks,
  type ReferenceNetwork,
  type ReferenceSettings,
  referenceDefaults,
} from "./scan/reference-settings.ts";
export {
  makeReferences,
  type ReferenceData,
  type ReferenceHost,
  type ReferenceStore,
  type References,
  readReferences,
  referenceKey,
} from "./scan/references.ts";
export { type ScanHost, type ScanImages, type ScanRequest, type ScanResult, scanJob } from "./scan/scan.ts";
export { type Comparison, compareModels } from "./scan/statistic.ts";
export { type JudgedModel, judge, type Verdict } from "./scan/verdict.ts";
export {
  type ClassifierHost,
  type ClassifierRequest,
  type ClassifierResult,
  trainClassifierJob,
} from "./training/classifier.ts";
export type { ClassifiedImages, TrainingData, TrainingHost } from "./training/host.ts";
export { type MaeRequest, type MaeResult, trainMaeJob } from "./training/mae.ts";
export { type PriorHost, type PriorRequest, type PriorResult, trainPriorJob } from "./training/prior.ts";
export { TRAINING_SCHEMA, type TrainingProgress, type TrainingRecord } from "./training/progress.ts";
export { classifierRecipe, generativeRecipe, planOf, type Recipe } from "./training/recipe.ts";
export { MAX_VOTES, type MethodChoice, planVotes, type VotePlan } from "./votes.ts";
