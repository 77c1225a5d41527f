/**
 * @file One cell of the bench as a result row: an attack against a defence on some data with a seed, with everything that
 * determines it and everything that was counted. `results.jsonl` of a bench holds a line each.
 */
import { z } from "zod";
import { type JsonLines, readJsonLines } from "./json-lines.ts";

/** Version of the rows below. A field may be added; one that changes meaning gets a new version. */
export const BENCH_SCHEMA = "untrigger/bench@1";

const unit = z.number().min(0).max(1);
const hash = z.string().regex(/^[0-9a-f]{16,64}$/);

/** Schema of a share: so many of so many, with the ends of its 95 % interval. */
export const benchShare = z
  .object({ hits: z.int().min(0), total: z.int().min(0), low: unit, high: unit })
  .refine(({ hits, total }) => hits <= total, "hits above total")
  .refine(({ low, high }) => low <= high, "low above high");

/** So many of so many, with the ends of its 95 % interval. */
export type BenchShare = z.infer<typeof benchShare>;

/** Schema of what was counted at one rank (top-1 or top-5); `null` where nothing can be measured. */
export const benchCounts = z.object({
  /** CA: clean images called by their label. */
  cleanAccuracy: benchShare.nullable(),
  /** PA: triggered images called by their label, without and with images of the target class. */
  poisonedAccuracy: benchShare.nullable(),
  poisonedAccuracyAllClasses: benchShare.nullable(),
  /** ASR: triggered images called the target, without and with images of the target class. */
  attackSuccess: benchShare.nullable(),
  attackSuccessAllClasses: benchShare.nullable(),
  /** Clean images of other classes called the target all the same: no ASR can be expected below it. */
  floor: benchShare.nullable(),
});

/** What was counted at one rank. */
export type BenchCounts = z.infer<typeof benchCounts>;

/** Schema of an attack or a defence: the paper's name, the preset, and its complete options. */
export const benchMethod = z.object({
  name: z.string(),
  preset: z.string().nullable(),
  options: z.record(z.string(), z.unknown()),
});

/** An attack or a defence with its options. */
export type BenchMethod = z.infer<typeof benchMethod>;

/** Schema of what an inverter found in a model. */
export const benchInversion = z.object({
  /** What the method ranks classes by: `success`, or a norm. */
  statistic: z.enum(["success", "pixels", "l1", "l2", "linf"]),
  /** One reconstruction a class: the median one where there are several source images. */
  classes: z.array(
    z.object({
      class: z.int().min(0),
      /** Source images, or sets of them, that the class was inverted from. */
      sources: z.int().min(1),
      /** Measured images of other classes that are called it with the reconstruction on them. */
      success: benchShare.nullable(),
      /** The same of clean images that its search did not see: what `success` as a statistic is. */
      cleanSuccess: unit.nullable(),
      pixels: z.int().min(0),
      l1: z.number().min(0),
      l2: z.number().min(0),
      linf: z.number().min(0),
      /** Overlap with the true trigger's footprint, of the target; `null` where that is not known, or most of the image. */
      iou: unit.nullable(),
    }),
  ),
  /** The class that stands on top by the statistic; `null` where several share it. */
  top: z.int().min(0).nullable(),
  /** Whether that is the target; `null` without a single target. */
  topIsTarget: z.boolean().nullable(),
  /** The published rule of median deviations; `null` where it says nothing, as with fewer than five classes. */
  anomaly: z.object({ index: z.number(), flagged: z.array(z.int()) }).nullable(),
});

/** What an inverter found in a model. */
export type BenchInversion = z.infer<typeof benchInversion>;

/** Schema of what a scan said about a model. */
export const benchScan = z.object({
  verdict: z.enum(["backdoored", "clean", "undecided"]),
  pValue: unit.nullable(),
  reason: z.string(),
  /** Classes that the verdict accuses, the most suspicious first. */
  targets: z.array(z.int()),
  classes: z.array(z.object({ class: z.int().min(0), score: z.number().nullable(), pValue: unit.nullable() })),
  /** The published rule of median deviations over the least masks; `null` where it says nothing, as with fewer than five classes. */
  anomaly: z.object({ index: z.number(), flagged: z.array(z.int()) }).nullable(),
  /** The class with the highest score; `null` where there are none, or several share it. */
  top: z.int().min(0).nullable(),
  /** Whether that is the target; `null` without a single target. */
  topIsTarget: z.boolean().nullable(),
});

/** What a scan said about a model. */
export type BenchScan = z.infer<typeof benchScan>;

/** Schema of the network that is measured, where the bench has trained it. */
export const benchNetwork = z.object({
  architecture: z.string(),
  options: z.record(z.string(), z.unknown()),
  /** How often its training saw every image. */
  epochs: z.number().gt(0),
  /** Of weights, order and poison. */
  seed: z.int(),
});

const cell = {
  schema: z.literal(BENCH_SCHEMA),
  /** Hash of everything that determines the cell: rows with the same one are the same measurement. */
  cell: hash,
  attack: benchMethod,
  /** The attacker's class; `null` where each image has its own, or there is none. */
  target: z.int().min(0).nullable(),
  /** What stands against it; `none` has the name "none". */
  defence: benchMethod.extend({ kind: z.enum(["none", "purifier", "repair", "inverter", "scan", "auditor"]) }),
  data: z.object({ name: z.string(), split: z.string(), hash }),
  seed: z.int(),
  classifierHash: hash.nullable(),
  /** `null` for a model that was there already. */
  network: benchNetwork.nullable().default(null),
  priorHash: hash.nullable(),
  /** How the prior computes; `null` without one. */
  precision: z.enum(["f32", "int8"]).nullable(),
  /** Of the package, the runtime, and whatever else decides on figures. */
  versions: z.record(z.string(), z.string()),
  /** Where it ran: seconds mean nothing without it. */
  host: z.object({ device: z.string(), processor: z.string().nullable(), threads: z.int().min(1) }),
  /** The command that computes this cell again. */
  command: z.string(),
  /** When it was finished, UTC. */
  finished: z.iso.datetime(),
  /** Of the whole cell. */
  seconds: z.number().min(0),
};

/** Schema of a cell that was computed. */
export const benchDone = z.object({
  ...cell,
  status: z.literal("done"),
  /** Images that were measured, clean and triggered each. */
  images: z.int().min(0),
  /** All `null` for a defence that answers no images: an inverter, a scan. */
  counts: benchCounts,
  /** The same with the label or target among the best five scores; `null` with five classes or fewer. */
  countsTop5: benchCounts.nullable(),
  /** How well suspicion tells triggered from clean images; `null` where the defence has none. */
  detection: z
    .object({
      auroc: unit.nullable(),
      /** Flagged clean and triggered images; `null` without a threshold. */
      falsePositives: benchShare.nullable(),
      truePositives: benchShare.nullable(),
      threshold: z.number().nullable(),
      /** Rate of clean images above the threshold that was promised. */
      falsePositiveRate: unit.nullable(),
    })
    .nullable(),
  secondsPerImage: z.number().min(0),
  /** Images that the prior's network, and the classifier, saw for each image. */
  networkCallsPerImage: z.number().min(0),
  classifierCallsPerImage: z.number().min(0),
  /** What a publication reports for this cell, as shares; `null` where there is none. */
  published: z
    .object({
      cleanAccuracy: unit.nullable(),
      poisonedAccuracy: unit.nullable(),
      attackSuccess: unit.nullable(),
      source: z.string(),
    })
    .nullable(),
  /** Further figures by name, such as a p-value or an overlap. */
  further: z.record(z.string(), z.number().nullable()),
  /** Seconds spent once, before any image was answered: on mending, inverting, scanning. */
  secondsOnce: z.number().min(0).default(0),
  /** What an inverter found, and what a scan said; `null` for every other defence. */
  inversion: benchInversion.nullable().default(null),
  scan: benchScan.nullable().default(null),
  /** A sheet of pictures, relative to the folder of the results; `null` without one. */
  sheet: z.string().nullable(),
});

/** A cell that was computed. */
export type BenchDone = z.infer<typeof benchDone>;

/** Schema of a cell that could not be computed, and why. */
export const benchFailed = z.object({
  ...cell,
  status: z.literal("failed"),
  error: z.object({ code: z.string(), message: z.string() }),
});

/** A cell that could not be computed. */
export type BenchFailed = z.infer<typeof benchFailed>;

/** Schema of one row. */
export const benchRow = z.discriminatedUnion("status", [benchDone, benchFailed]);

/** One cell of the bench. */
export type BenchRow = z.infer<typeof benchRow>;

/** A row as the line that is appended to a file. @throws ZodError for a row that is none: a bug of ours. */
export function benchLine(row: BenchRow): string {
  return `${JSON.stringify(benchRow.parse(row))}\n`;
}

/** Reads a file of rows. @param name what to call it in messages. @throws FormatError as `readJsonLines` does. */
export function readBenchRows(bytes: Uint8Array, name: string): JsonLines<BenchRow> {
  return readJsonLines(bytes, { version: BENCH_SCHEMA, row: benchRow, name });
}

/** One row for each cell, in the order of their first appearance: the last that is done, else the last that failed. */
export function latestRows(rows: readonly BenchRow[]): readonly BenchRow[] {
  const latest = new Map<string, BenchRow>();
  for (const row of rows) {
    if (row.status === "done" || latest.get(row.cell)?.status !== "done") latest.set(row.cell, row);
  }
  return [...latest.values()];
}
