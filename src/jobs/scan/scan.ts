/**
 * @file The use case `scan`: a cheap look at every class of a model, compared with clean references; an expensive one at
 * the suspicious classes; a verdict with a stated false-positive rate, and pictures of what was found.
 */
import { singleTarget } from "../../attacks/label-map.ts";
import type { Trigger } from "../../attacks/trigger.ts";
import { type ClassifierFlags, type OnnxClassifierFiles, openOnnxClassifier } from "../../classifiers/onnx.ts";
import { openWhiteBox, type WhiteBox } from "../../classifiers/white-box.ts";
import { OptionError } from "../../core/errors.ts";
import type { Prior } from "../../diffusion/prior.ts";
import type { Inversion } from "../../invert/inverter.ts";
import { outliersOf } from "../../invert/outliers.ts";
import { successOf } from "../../invert/trigger.ts";
import { winners } from "../../metrics/accuracy.ts";
import { SCAN_SCHEMA, type ScanClass, type ScanRecord } from "../../results/scan-record.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { unitFromBytes } from "../../tensor/image-bytes.ts";
import { concatRows } from "../../tensor/rows.ts";
import { formatDims, sameDims } from "../../tensor/shape.ts";
import type { ClassifiedImages } from "../training/host.ts";
import { checkModel, reopener } from "./check-model.ts";
import { type ChosenInverter, invertClasses, withClassifiers } from "./confirm.ts";
import { disturbances } from "./disturbances.ts";
import { footprintOf } from "./evidence.ts";
import { evidenceOf, type ScanPicture } from "./gather-evidence.ts";
import { type MeasuredModel, measureModel } from "./measure-model.ts";
import type { ClassMeasure } from "./measures.ts";
import { notesOf } from "./notes.ts";
import { type Probe, probeOf } from "./probe.ts";
import type { References } from "./references.ts";
import { type Comparison, compareModels, meanOf } from "./statistic.ts";
import { judge } from "./verdict.ts";

/** Classes that are confirmed at most. */
const MOST_CONFIRMED = 3;

/** What is asked for. */
export interface ScanRequest {
  readonly chosen: readonly ChosenInverter[];
  /** All of the model's when left out. */
  readonly classes?: readonly number[] | undefined;
  /** Stated share of clean models that may be called backdoored. */
  readonly fpr: number;
  readonly seed: number;
}

/** Clean images that the user gave: those that triggers are found on and tried with. */
export interface ScanImages {
  readonly images: ClassifiedImages["images"];
  /** What they show; `undefined` where nobody says, and the model is believed. */
  readonly labels: ArrayLike<number> | undefined;
  readonly names: readonly string[];
}

/** What the job is lent. */
export interface ScanHost {
  readonly runtime: Runtime;
  readonly threads?: number | undefined;
  /** What the user says about the model. */
  readonly flags?: Omit<ClassifierFlags, "threads"> | undefined;
  readonly prior?: Prior | undefined;
  /** The true trigger, to compare with. */
  readonly trigger?: Trigger | undefined;
  /** The clean models to compare with; asked for once the model has been checked. `undefined` when there are none. */
  references(model: ReferenceNeeds): Promise<References | undefined>;
  readonly signal?: AbortSignal | undefined;
  /** Once aborted, the scan ends with what it has: for time budgets. */
  readonly enough?: AbortSignal | undefined;
  progress?(phase: ScanPhase, done: number, total: number, remark?: string): void;
}

/** What references are to be like. */
export interface ReferenceNeeds {
  readonly classes: number;
  /** What the model calls images, for those who have no labels. */
  labelsOf(images: ClassifiedImages["images"]): Promise<Int32Array>;
}

/** What is being done. */
export type ScanPhase = "look" | "confirm";

/** A scan with its pictures. */
export interface ScanResult {
  readonly record: ScanRecord;
  readonly pictures: readonly ScanPicture[];
}

/**
 * Scans a model.
 * @throws OptionError, ShapeError when request, model, images and references do not fit, before any search; RuntimeFailure
 * when scores or gradients are not finite; the signal's reason when aborted.
 */
export async function scanJob(
  request: ScanRequest,
  files: OnnxClassifierFiles,
  given: ScanImages,
  host: ScanHost,
): Promise<ScanResult> {
  const { runtime, threads, flags } = host;
  const classifier = await openWhiteBox(files, runtime, { ...flags, threads });
  try {
    return await scanOpened(request, { files, classifier }, given, host);
  } finally {
    await classifier.dispose();
  }
}

async function scanOpened(
  request: ScanRequest,
  { files, classifier }: { readonly files: OnnxClassifierFiles; readonly classifier: WhiteBox },
  given: ScanImages,
  host: ScanHost,
): Promise<ScanResult> {
  const { signal, enough, runtime, threads, flags = {} } = host;
  const { seed, fpr } = request;
  const labelled = given.labels !== undefined;
  const own = await ownProbe(classifier, given, signal);
  const reopen = reopener(files, runtime, { ...flags, threads });
  const model = await checkModel(classifier, own, { labelled, classes: request.classes, signal, reopen });
  const classes = [...(request.classes ?? Array.from({ length: model.classes }, (_, k) => k))];
  const references = await host.references({
    classes: model.classes,
    labelsOf: async ({ dims, data }) => winners((await classifier.classify(unitFromBytes(dims, data), signal)).scores),
  });
  if (references !== undefined) requireLike(references, own, model.classes);
  const looked = references === undefined ? own : probeOf(references.probe);
  const rows = looked.labels.length;
  const screened =
    rows < 2
      ? undefined
      : await withClassifiers(
          (references?.judges ?? []).map((judgeFiles) => () => openOnnxClassifier(judgeFiles, runtime, { threads })),
          (judges) =>
            measureModel(classifier, looked, {
              classes,
              judges,
              seed,
              signal,
              enough,
              progress: (done, total) => host.progress?.("look", done, total),
            }),
        );
  const compared = comparisonOf(screened, references);
  const candidates = candidatesOf(compared, screened, { fpr, classes });
  host.progress?.("confirm", 0, 1, compared === undefined ? undefined : `so far p = ${compared.pValue.toFixed(3)}`);
  // A single image has no others to try a trigger on: those of the references will do.
  const probe = own.labels.length > 1 || references === undefined ? own : joined(own, looked);
  const found: { readonly method: string; readonly inversion: Inversion }[] = [];
  const screening = own === looked ? screened : undefined;
  for (const triggers of screening?.found ?? []) {
    if (!candidates.includes(triggers.bounded.target)) continue;
    found.push({ method: "universal-perturbation", inversion: triggers.bounded });
    found.push({ method: "smallest-perturbation", inversion: triggers.smallest });
    found.push({ method: "neural-cleanse", inversion: triggers.mask });
    found.push({ method: "universal-warp", inversion: triggers.warp });
  }
  const screenedCount = found.length;
  for await (const one of invertClasses(classifier, probe, {
    chosen: request.chosen,
    classes: candidates,
    prior: host.prior,
    seed,
    signal,
    enough,
    progress: (done, total) => host.progress?.("confirm", done, total),
  })) {
    found.push(one);
    const words = `class ${one.inversion.target}: ${(100 * successOf(one.inversion)).toFixed(0)} % by ${one.method}`;
    host.progress?.("confirm", found.length, found.length + 1, words);
  }
  const confirmed = enough?.aborted !== true && found.slice(screenedCount).every(({ inversion }) => inversion.complete);
  const { trigger } = host;
  const target = trigger === undefined ? undefined : (singleTarget(trigger.labels) ?? null);
  const footprint =
    trigger === undefined || target === undefined
      ? undefined
      : await footprintOf(classifier, probe, { trigger, target, signal });
  const evidence = await evidenceOf(classifier, { found, probe, footprint, target, names: given.names, signal });
  const asrOf = (k: number): number | null => {
    const shown = evidence.triggers.find((one) => one.class === k && one.shown);
    return shown === undefined || shown.others.total === 0 ? null : shown.others.hits / shown.others.total;
  };
  const list = classes.map((k): ScanClass => {
    const at = compared?.classes.findIndex((one) => one.class === k) ?? -1;
    const score = compared?.classes[at];
    const measure = screened?.measures.classes.find((one) => one.class === k);
    const bounded = screened?.found.find(({ bounded: one }) => one.target === k)?.bounded;
    return {
      class: k,
      label: classifier.labels?.[k] ?? null,
      score: score?.score ?? loneScore(found, k),
      pValue: compared?.pValues[at] ?? null,
      attackSuccessRate: asrOf(k) ?? (bounded === undefined ? null : successOf(bounded)),
      triggerScore: score?.trigger ?? null,
      warpScore: score?.warp ?? null,
      driftScore: score?.drift ?? null,
      measure: measure === undefined ? null : figuresOf(measure),
    };
  });
  const judged = judge({
    pValue: compared?.pValue ?? null,
    classes: list.map(({ class: k, score, pValue }) => ({ class: k, score: score ?? 0, pValue })),
    references: references?.measures.length ?? 0,
    fpr,
    accuracy:
      references === undefined || screened === undefined
        ? undefined
        : {
            suspect: screened.measures.accuracy,
            references: references.measures.map(({ accuracy }) => accuracy),
          },
    confirmed,
  });
  const notes = notesOf({ labelled, references, judged, list, own, complete: screened?.complete !== false });
  const anomaly =
    screened === undefined
      ? undefined
      : outliersOf(
          screened.found.map((one) => one.mask),
          "l1",
        );
  const record: ScanRecord = {
    schema: SCAN_SCHEMA,
    verdict: judged.verdict,
    targets: [...judged.targets],
    pValue: compared?.pValue ?? null,
    reason: judged.reason,
    notes,
    classes: list,
    triggers: evidence.triggers,
    model: { sha256: classifier.hash, classes: model.classes, accuracy: model.accuracy },
    images: { given: given.names.length, labelled, probe: rows },
    references:
      references === undefined
        ? null
        : {
            key: references.key,
            count: references.measures.length,
            judges: references.judges.length,
            accuracy: meanOf(references.measures.map(({ accuracy }) => accuracy)),
            scores: [...(compared?.references ?? [])],
          },
    disturbances: disturbances.map(({ name }) => name),
    anomaly: anomaly === undefined ? null : { index: anomaly.index, flagged: [...anomaly.flagged] },
    trueTrigger:
      footprint === undefined || trigger === undefined
        ? null
        : { attack: trigger.attack, target: target ?? null, pixels: footprint.pixels, success: footprint.success },
    methods: request.chosen.map(({ descriptor, options }) => ({
      name: descriptor.name,
      options: options.map((set) => ({ ...set })),
    })),
    falsePositiveRate: fpr,
    seed,
  };
  return { record, pictures: evidence.pictures };
}

function figuresOf({ class: _class, ...figures }: ClassMeasure): NonNullable<ScanClass["measure"]> {
  return figures;
}

/** The images of the user, with what the model calls them where nobody says what they show. */
async function ownProbe(
  classifier: WhiteBox,
  { images, labels }: ScanImages,
  signal: AbortSignal | undefined,
): Promise<Probe> {
  const probe = probeOf({ images, labels: labels ?? new Int32Array(images.dims[0] ?? 0) });
  if (labels !== undefined) return probe;
  const { scores } = await classifier.classify(probe.images, signal);
  return { ...probe, labels: winners(scores) };
}

/** @throws OptionError when references are for images or classes of other kinds. */
function requireLike({ classes, probe }: References, own: Probe, count: number): void {
  const [has, wants] = [probe.images.dims.slice(1), own.images.dims.slice(1)];
  if (classes === count && sameDims(has, wants)) return;
  throw new OptionError(
    `references: expected those of ${count} classes and images of ${formatDims(wants)}, got ${classes} classes and ${formatDims(has)}. Do make them from images of this model's kind: untrigger scan references.`,
  );
}

function comparisonOf(screened: MeasuredModel | undefined, references: References | undefined): Comparison | undefined {
  if (screened === undefined || references === undefined || references.measures.length < 2) return undefined;
  if (!screened.complete || screened.measures.classes.length === 0) return undefined;
  return compareModels(screened.measures, references.measures);
}

/** Classes worth an expensive look: those that stand out, and at least one. */
function candidatesOf(
  compared: Comparison | undefined,
  screened: MeasuredModel | undefined,
  { fpr, classes }: { readonly fpr: number; readonly classes: readonly number[] },
): number[] {
  if (compared !== undefined) {
    const order = compared.classes
      .map(({ class: k, score }, i) => ({ k, score, pValue: compared.pValues[i] ?? 1 }))
      .sort((a, b) => b.score - a.score);
    return order
      .filter(({ pValue }, i) => i === 0 || pValue <= 2 * fpr)
      .slice(0, MOST_CONFIRMED)
      .map(({ k }) => k);
  }
  if (screened === undefined) return [...classes];
  return screened.found
    .map(({ bounded }) => ({ k: bounded.target, success: successOf(bounded) }))
    .sort((a, b) => b.success - a.success)
    .slice(0, MOST_CONFIRMED)
    .map(({ k }) => k);
}

function joined(own: Probe, other: Probe): Probe {
  return {
    images: concatRows([own.images, other.images]),
    labels: Int32Array.from([...own.labels, ...other.labels]),
    ids: [...own.ids, ...other.ids],
  };
}

/** Without references: how well the best search went, as minus its last loss. Comparable within a model at most. */
function loneScore(found: readonly { readonly inversion: Inversion }[], k: number): number | null {
  const losses = found.flatMap(({ inversion }) => (inversion.target === k ? (inversion.losses.at(-1) ?? []) : []));
  return losses.length === 0 ? null : -Math.min(...losses);
}
