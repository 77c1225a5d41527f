/** @file Rows of a bench that was never run: shares from a fixed hash, so that every test sees the same ones. */
import { hashJson } from "../../src/core/hash.ts";
import { wilsonInterval } from "../../src/metrics/intervals.ts";
import { BENCH_SCHEMA, type BenchDone, type BenchFailed, type BenchShare } from "../../src/results/bench-row.ts";

/** Which cell, and what of it differs from the others. */
export interface CellOptions {
  readonly attack?: string;
  readonly attackOptions?: Readonly<Record<string, unknown>>;
  readonly defence?: string;
  readonly preset?: string | null;
  readonly kind?: BenchDone["defence"]["kind"];
  readonly data?: string;
  readonly seed?: number;
  readonly images?: number;
}

/** A share with its interval, as a bench would write it. */
export function share(hits: number, total: number): BenchShare {
  return { hits, total, ...wilsonInterval({ hits, total }) };
}

/** A computed cell. */
export function doneRow(cell: CellOptions = {}, more: Partial<BenchDone> = {}): BenchDone {
  const { images = 500, defence = "diffpure" } = cell;
  const base = baseOf(cell);
  const part = (name: string): number => (Number.parseInt(hashJson([base.cell, name]).slice(0, 8), 16) % 1000) / 1000;
  const of = (name: string, low: number, high: number): BenchShare =>
    share(Math.round(images * (low + (high - low) * part(name))), images);
  const others = Math.round(images * 0.9);
  const success = share(
    Math.round(others * (defence === "none" ? 0.95 + 0.05 * part("asr") : 0.2 * part("asr"))),
    others,
  );
  const counts = {
    cleanAccuracy: of("ca", 0.82, 0.92),
    poisonedAccuracy: share(Math.min(Math.round(others * 0.88), others - success.hits), others),
    poisonedAccuracyAllClasses: of("pa-all", 0.5, 0.9),
    attackSuccess: success,
    attackSuccessAllClasses: share(success.hits + images - others, images),
    floor: share(Math.round(others * 0.03 * part("floor")), others),
  };
  return {
    ...base,
    status: "done",
    images,
    counts,
    countsTop5: { ...counts, cleanAccuracy: of("ca5", 0.97, 1) },
    detection:
      defence === "none"
        ? null
        : {
            auroc: 0.9 + 0.1 * part("auroc"),
            falsePositives: of("fp", 0.02, 0.07),
            truePositives: of("tp", 0.9, 1),
            threshold: 0.25,
            falsePositiveRate: 0.05,
          },
    secondsPerImage: defence === "none" ? 0.0002 : 0.005 + 0.1 * part("seconds"),
    networkCallsPerImage: defence === "none" ? 0 : 12,
    classifierCallsPerImage: 1,
    published: null,
    further: {},
    secondsOnce: 0,
    inversion: null,
    scan: null,
    sheet: null,
    ...more,
  };
}

const NOTHING_COUNTED = {
  cleanAccuracy: null,
  poisonedAccuracy: null,
  poisonedAccuracyAllClasses: null,
  attackSuccess: null,
  attackSuccessAllClasses: null,
  floor: null,
} as const;

/** What rows of defences that answer no images have in common. */
function lookRow(cell: CellOptions, more: Partial<BenchDone>): BenchDone {
  const target = cell.attack === "none" ? null : 0;
  const silent = { counts: NOTHING_COUNTED, countsTop5: null, detection: null, secondsPerImage: 0, secondsOnce: 7 };
  return doneRow(cell, { ...silent, target, networkCallsPerImage: 0, classifierCallsPerImage: 0, ...more });
}

/** A cell of an inverter that looked at classes 0 and 2. */
export function inversionRow(cell: CellOptions = {}, more: Partial<BenchDone> = {}): BenchDone {
  const found = { sources: 3, success: share(70, 100), cleanSuccess: 0.75, pixels: 9, l1: 4, l2: 2, linf: 1 };
  const isClean = cell.attack === "none";
  return lookRow(
    { defence: "neural-cleanse", kind: "inverter", ...cell },
    {
      inversion: {
        statistic: "l1",
        classes: [
          { class: 0, ...found, iou: isClean ? null : 0.5 },
          { class: 2, ...found, success: share(3, 100), l1: 31.5, iou: null },
        ],
        top: 0,
        topIsTarget: isClean ? null : true,
        anomaly: { index: 3.5, flagged: [0, 2] },
      },
      ...more,
    },
  );
}

/** A cell of a scan. */
export function scanRow(cell: CellOptions = {}, more: Partial<BenchDone> = {}): BenchDone {
  const isClean = cell.attack === "none";
  return lookRow(
    { defence: "scan", preset: null, kind: "scan", ...cell },
    {
      scan: {
        verdict: isClean ? "undecided" : "backdoored",
        pValue: isClean ? 0.08 : 0.048,
        reason: isClean ? "Between the stated rate and twice that." : "No clean reference comes near.",
        targets: isClean ? [] : [0],
        classes: [
          { class: 0, score: isClean ? 2.25 : 6.5, pValue: 0.048 },
          { class: 1, score: 1.25, pValue: 0.5 },
        ],
        anomaly: { index: 2.5, flagged: [1] },
        top: 0,
        topIsTarget: isClean ? null : true,
      },
      ...more,
    },
  );
}

/** A cell that failed. */
export function failedRow(cell: CellOptions = {}, message = "badnets: expected 3 channels, got 1."): BenchFailed {
  return { ...baseOf(cell), status: "failed", error: { code: "shape", message } };
}

function baseOf(cell: CellOptions): Omit<BenchFailed, "status" | "error"> {
  const { attack = "badnets", attackOptions = {}, defence = "diffpure", preset = "recommended" } = cell;
  const { data = "fashion-mnist", seed = 0 } = cell;
  const { kind = defence === "none" ? "none" : "purifier" } = cell;
  return {
    schema: BENCH_SCHEMA,
    cell: hashJson([attack, attackOptions, defence, preset, data, seed]),
    attack: { name: attack, preset: null, options: attackOptions },
    target: 0,
    defence: { kind, name: defence, preset: defence === "none" ? null : preset, options: {} },
    data: { name: data, split: "test", hash: hashJson(data) },
    seed,
    classifierHash: hashJson(["classifier", attack, data]),
    network: null,
    priorHash: defence === "none" ? null : hashJson(["prior", data]),
    precision: defence === "none" ? null : "f32",
    versions: { untrigger: "0.1.0", "onnxruntime-node": "1.30.0" },
    host: { device: "cpu", processor: "some processor", threads: 2 },
    command: "untrigger bench plan.yaml -o results",
    finished: "2026-01-02T03:04:05Z",
    seconds: 12,
  };
}
