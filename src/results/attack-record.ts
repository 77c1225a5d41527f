/** @file What `training.json` says about a model that was trained under attack, and `attack --json` prints. */
import { z } from "zod";
import { backdoorMeasure, measuredShare } from "./backdoor-measure.ts";

/** Schema version of {@link attackRecord}: that of any training, with what belongs to the attack. */
export const ATTACK_SCHEMA = "untrigger/training@1";

/** Everything that determines the model, and what it was measured to do. Rates are shares of images, 0..1. */
export const attackRecord = z.looseObject({
  schema: z.literal(ATTACK_SCHEMA),
  kind: z.literal("classifier"),
  attack: z.string(),
  preset: z.string(),
  /** Paper or repository. */
  source: z.string(),
  threat: z.string(),
  /** Every option of the attack, complete. */
  attackOptions: z.record(z.string(), z.unknown()),
  /** Which classes triggered images are to be called; `null` where nothing is planted. */
  labels: z.unknown(),
  /** The one class aimed at; `null` where there are several or none. */
  target: z.int().nullable(),
  /** Training images with the trigger and the attacker's label, and images that keep their label; `null` where batches are attacked. */
  poisoned: z.int().nullable(),
  covers: z.int().nullable(),
  dataset: z.string(),
  datasetSha256: z.string().nullable(),
  architecture: z.string(),
  /** Every option of training and architecture, complete. */
  options: z.record(z.string(), z.unknown()),
  seed: z.int(),
  parameters: z.int(),
  steps: z.int(),
  loss: z.number(),
  /** SHA-256 of `model.onnx`, and of the files of `trigger/`. */
  modelSha256: z.string(),
  triggerSha256: z.string().nullable(),
  /** Of any training: here the clean accuracy. */
  accuracy: measuredShare,
  /** Test images in all. */
  measuredOn: z.int(),
  ...backdoorMeasure.shape,
  /** Accuracy on control images, of triggers that have them. */
  noiseAccuracy: measuredShare,
  crossAccuracy: measuredShare,
});

/** A record of {@link attackRecord}. */
export type AttackRecord = z.output<typeof attackRecord>;
