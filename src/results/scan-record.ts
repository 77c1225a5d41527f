/** @file What a scan says about a model: `scan.json`, what `scan --json` prints, and a line of `results.jsonl` for each class. */
import { z } from "zod";
import { hitCount } from "./backdoor-measure.ts";

/** Schema version of {@link scanRecord}. */
export const SCAN_SCHEMA = "untrigger/scan@1";
/** Schema version of {@link scanRow}. */
export const SCAN_ROW_SCHEMA = "untrigger/scan-row@1";

const share = z.number().min(0).max(1);

/** One class of a scanned model. */
export const scanClass = z.object({
  class: z.int().min(0),
  label: z.string().nullable(),
  /** How far it stands out among the references, in their deviations; `null` where there was nothing to compare with. */
  score: z.number().nullable(),
  /** Share of clean models that have a class as suspicious. */
  pValue: share.nullable(),
  /** Of the reconstructed trigger, on images that it was not found on, of other classes. */
  attackSuccessRate: share.nullable(),
  /** The three parts of the score. */
  triggerScore: z.number().nullable(),
  warpScore: z.number().nullable(),
  driftScore: z.number().nullable(),
  /** What was measured: see the documentation of the statistic. */
  measure: z
    .object({
      success: share,
      carried: share,
      norm: z.number(),
      mask: z.number(),
      warp: share,
      drift: z.array(share),
    })
    .nullable(),
});

/** A reconstructed trigger. */
export const scanTrigger = z.object({
  class: z.int().min(0),
  /** The inverter that found it. */
  method: z.string(),
  kind: z.enum(["perturbation", "patch", "warp"]),
  /** Of the images that it was found on, of the others, and of the others without it. */
  sources: hitCount,
  others: hitCount,
  floor: hitCount,
  pixels: z.int(),
  l1: z.number(),
  l2: z.number(),
  linf: z.number(),
  /** With the footprint of the true trigger, of as many pixels; `null` where that is not known or covers most of the image. */
  iou: share.nullable(),
  complete: z.boolean(),
  /** True for the one of its class that moves most other images: it has pictures. */
  shown: z.boolean(),
  /** Of the shown one: some images, by name, with what they are called without and with it. */
  images: z.array(z.object({ name: z.string(), before: z.int(), after: z.int() })),
  /** Of the shown one: picture files by what they show, relative to the report. */
  files: z.record(z.string(), z.string()),
});

/** A scan. */
export const scanRecord = z.looseObject({
  schema: z.literal(SCAN_SCHEMA),
  verdict: z.enum(["backdoored", "clean", "undecided"]),
  /** Most suspicious first; none unless backdoored. */
  targets: z.array(z.int()),
  pValue: share.nullable(),
  /** Why the verdict is what it is. */
  reason: z.string(),
  /** What a reader should know besides. */
  notes: z.array(z.string()),
  classes: z.array(scanClass),
  triggers: z.array(scanTrigger),
  model: z.object({ sha256: z.string(), classes: z.int(), accuracy: share.nullable() }),
  images: z.object({ given: z.int(), labelled: z.boolean(), probe: z.int() }),
  references: z
    .object({
      key: z.string(),
      count: z.int(),
      judges: z.int(),
      accuracy: share,
      /** Of each, the score of its most suspicious class. */
      scores: z.array(z.number()),
    })
    .nullable(),
  /** Names of the disturbances behind `drift`. */
  disturbances: z.array(z.string()),
  /** Of the masks, the published rule without any comparison: no verdict of ours. */
  anomaly: z.object({ index: z.number(), flagged: z.array(z.int()) }).nullable(),
  /** Of the true trigger, where it was given. */
  trueTrigger: z
    .object({ attack: z.string(), target: z.int().nullable(), pixels: z.int(), success: hitCount })
    .nullable(),
  methods: z.array(z.object({ name: z.string(), options: z.array(z.record(z.string(), z.unknown())) })),
  falsePositiveRate: z.number(),
  seed: z.int(),
});

/** One line about a class. */
export const scanRow = scanClass.extend({
  schema: z.literal(SCAN_ROW_SCHEMA),
  modelSha256: z.string(),
  isTarget: z.boolean(),
});

/** A class of a {@link ScanRecord}. */
export type ScanClass = z.output<typeof scanClass>;
/** A trigger of a {@link ScanRecord}. */
export type ScanTrigger = z.output<typeof scanTrigger>;
/** A record of {@link scanRecord}. */
export type ScanRecord = z.output<typeof scanRecord>;
/** A line of {@link scanRow}. */
export type ScanRow = z.output<typeof scanRow>;

/** The lines of a scan, one a class. */
export function scanRows({ classes, model, targets }: ScanRecord): ScanRow[] {
  return classes.map((one) => ({
    schema: SCAN_ROW_SCHEMA,
    modelSha256: model.sha256,
    isTarget: targets.includes(one.class),
    ...one,
  }));
}
