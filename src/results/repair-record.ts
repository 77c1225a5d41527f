/** @file What `repair.json` says about a mended model, and `repair --json` prints. */
import { z } from "zod";
import { backdoorMeasure } from "./backdoor-measure.ts";

/** Schema version of {@link repairRecord}. */
export const REPAIR_SCHEMA = "untrigger/repair@1";

/** What a model does on the test images. Everything but the clean accuracy is `null` without a trigger. */
export const repairMeasure = backdoorMeasure;

/** Everything that determines the mended model, and what both were measured to do. Rates are shares of images, 0..1. */
export const repairRecord = z.looseObject({
  schema: z.literal(REPAIR_SCHEMA),
  method: z.string(),
  preset: z.string(),
  /** Paper or repository. */
  source: z.string(),
  /** Every option of the repair, complete. */
  options: z.record(z.string(), z.unknown()),
  seed: z.int(),
  dataset: z.string(),
  datasetSha256: z.string().nullable(),
  /** Clean images that were learned from, that thresholds were chosen on, and test images that neither saw. */
  images: z.object({ learned: z.int(), held: z.int(), test: z.int() }),
  /** The trigger that both models were measured with. */
  trigger: z
    .object({
      attack: z.string(),
      kind: z.string(),
      source: z.string(),
      target: z.int().nullable(),
      sha256: z.string(),
    })
    .nullable(),
  /** SHA-256 of `model.onnx` before and after. */
  modelSha256Before: z.string(),
  modelSha256: z.string(),
  /** Channels that were switched off, by layer. */
  pruned: z.array(z.object({ layer: z.string(), channels: z.array(z.int()), of: z.int() })),
  /** The point of `curve` that was chosen. */
  threshold: z.number().nullable(),
  curve: z.array(z.object({ at: z.number(), pruned: z.int(), accuracy: z.number() })),
  /** Steps of learning, and the mean loss of the last hundred. */
  steps: z.int(),
  loss: z.number().nullable(),
  /** Test images in all. */
  measuredOn: z.int(),
  before: repairMeasure,
  after: repairMeasure,
});

/** A record of {@link repairRecord}. */
export type RepairRecord = z.output<typeof repairRecord>;
/** One of its two measurements. */
export type RepairMeasure = z.output<typeof repairMeasure>;
