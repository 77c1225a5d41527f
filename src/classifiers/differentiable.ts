/** @file A classifier from a local ONNX file that also says how its loss changes with the pixels. */
import { OptionError, RuntimeFailure, ShapeError } from "../core/errors.ts";
import { graphToBytes } from "../graph/to-model.ts";
import type { Runtime, Session } from "../runtime/runtime.ts";
import { concatRows, rowsOf } from "../tensor/rows.ts";
import { elementCount, formatDims } from "../tensor/shape.ts";
import { type Float32Tensor, float32, type Tensor } from "../tensor/tensor.ts";
import type { Classifier, ScoreKind } from "./classifier.ts";
import { probingWith, readGraph } from "./gradient.ts";
import { IMAGES, signatureOf } from "./image-graph.ts";
import { checkImages } from "./image-input.ts";
import { firstNonFinite } from "./kernels.ts";
import { GRADIENT, LOSSES, lossGradientGraph, SCORES, TARGETS, WEIGHTS } from "./loss-gradient.ts";
import { type Loss, type LossName, losses, requireGradientScores } from "./losses.ts";
import { type ClassifierFlags, type OnnxClassifierFiles, openOnnxClassifier } from "./onnx.ts";
import { readPreprocessing, UNIT_RANGE } from "./preprocessing.ts";

/** What images cost, and how that changes with them. */
export interface LossGradient {
  /** float32 [N, K], as the model gives them. */
  readonly scores: Float32Tensor;
  /** float32 [N] */
  readonly losses: Float32Tensor;
  /** float32 [N, C, H, W]: the derivative of each image's loss by its pixels in [0, 1]. */
  readonly gradient: Float32Tensor;
}

/** The class of each image, or how much of each class is wanted, float32 [N, K]. */
export type Targets = readonly number[] | Float32Tensor;

/** A classifier with gradients. */
export interface DifferentiableClassifier extends Classifier {
  /**
   * @param images float32 [N, C, H, W] in [0, 1]; preprocessing is inside, and differentiated too.
   * @throws ShapeError when dims do not fit, OptionError for a class that there is not, RuntimeFailure when a loss or a
   * gradient is not finite.
   */
  lossGradient(images: Float32Tensor, targets: Targets, signal?: AbortSignal): Promise<LossGradient>;
}

/** What the user says about a model and its loss. */
export interface DifferentiableFlags extends ClassifierFlags {
  /** Of each image; `cross-entropy` when left out. */
  readonly loss?: LossName | Loss | undefined;
  /** Images of one run at most; as many as are fastest for a small network when left out. Results do not depend on it. */
  readonly batch?: number | undefined;
}

/** Images of one run: activations and gradients stay bounded. */
const MOST_ROWS = 64;
const MOST_VALUES = 2 ** 22;
/** How many sessions, of batches of different dims, are kept. */
const MOST_SESSIONS = 3;

/**
 * Opens a classifier with gradients. The gradient of a batch size is made when it is first asked for, and kept.
 * @throws what `openOnnxClassifier` throws; OptionError when the model takes bytes. On use: UnsupportedOpError when an
 * operator between pixels and scores has no gradient, OptionError when the scores are labels.
 */
export async function openDifferentiableClassifier(
  files: OnnxClassifierFiles,
  runtime: Runtime,
  { loss = "cross-entropy", batch = MOST_ROWS, ...flags }: DifferentiableFlags = {},
): Promise<DifferentiableClassifier> {
  const graph = readGraph(files.model, files.externalData);
  const signature = signatureOf(graph, flags);
  const preprocessing = readPreprocessing(files.preprocessor, flags) ?? UNIT_RANGE;
  const classifier = await openOnnxClassifier(files, runtime, flags);
  const write = typeof loss === "string" ? losses[loss] : loss;
  const sessions = new Map<string, Promise<Session>>();
  let kind: ScoreKind | undefined;

  const open = async (dims: readonly number[], scores: ScoreKind): Promise<Session> => {
    const parts = { signature, preprocessing, kind: scores, loss: write, dims };
    const gradient = await lossGradientGraph(graph, parts, probingWith(runtime));
    return await runtime.load(graphToBytes(gradient), { threads: flags.threads });
  };

  const sessionFor = async (dims: readonly number[], scores: ScoreKind): Promise<Session> => {
    const key = dims.join();
    const known = sessions.get(key) ?? open(dims, scores);
    // What was used last is last in the map.
    sessions.delete(key);
    sessions.set(key, known);
    const [oldest] = sessions;
    if (oldest !== undefined && sessions.size > MOST_SESSIONS) {
      sessions.delete(oldest[0]);
      await (await oldest[1]).dispose();
    }
    try {
      return await known;
    } catch (error) {
      sessions.delete(key);
      throw error;
    }
  };

  return {
    classify: (images, signal) => classifier.classify(images, signal),
    async lossGradient(images, targets, signal): Promise<LossGradient> {
      checkImages(images.dims, classifier.input);
      const [n = 0, ...image] = images.dims;
      if (n === 0) throw new ShapeError("classifier: expected at least one image for a gradient, got none.");
      kind ??= (await classifier.classify(rowsOf(images, 0, 1), signal)).kind;
      requireGradientScores(kind);
      const most = Math.max(1, Math.min(batch, Math.floor(MOST_VALUES / elementCount(image))));
      const rows = signature.image.batch ?? Math.ceil(n / Math.ceil(n / most));
      const parts: LossGradient[] = [];
      for (let first = 0; first < n; first += rows) {
        signal?.throwIfAborted();
        const session = await sessionFor([rows, ...image], kind);
        const count = Math.min(rows, n - first);
        const feeds = {
          [IMAGES]: padRows(rowsOf(images, first, first + count), rows),
          [TARGETS]: padRows(rowsOf(targetRows(targets, n, classesOf(session)), first, first + count), rows),
          [WEIGHTS]: padRows(float32([count], Array<number>(count).fill(1)), rows),
        };
        parts.push(readResults(await session.run(feeds, signal), first, count));
      }
      const [only] = parts;
      if (only !== undefined && parts.length === 1) return only;
      return {
        scores: concatRows(parts.map((part) => part.scores)),
        losses: concatRows(parts.map((part) => part.losses)),
        gradient: concatRows(parts.map((part) => part.gradient)),
      };
    },
    labels: classifier.labels,
    input: classifier.input,
    hash: classifier.hash,
    get calls() {
      return classifier.calls;
    },
    async dispose() {
      const opened = await Promise.allSettled(sessions.values());
      sessions.clear();
      for (const result of opened) if (result.status === "fulfilled") await result.value.dispose();
      await classifier.dispose();
    },
  };
}

/** The number of classes that a session's targets have. */
function classesOf({ inputs }: Session): number {
  return Number(inputs.find(({ name }) => name === TARGETS)?.dims[1] ?? 0);
}

/** Targets as rows of shares, [N, K]. */
function targetRows(targets: Targets, n: number, classes: number): Float32Tensor {
  if ("dims" in targets) {
    if (targets.dims.length === 2 && targets.dims[0] === n && targets.dims[1] === classes) return targets;
    throw new ShapeError(`classifier: expected targets [${n}, ${classes}], got ${formatDims(targets.dims)}.`);
  }
  if (targets.length !== n) throw new ShapeError(`classifier: expected ${n} targets, got ${targets.length}.`);
  const rows = float32([n, classes]);
  for (const [i, target] of targets.entries()) {
    if (!Number.isInteger(target) || target < 0 || target >= classes) {
      throw new OptionError(`classifier: expected targets from 0 to ${classes - 1}, got ${target} for image ${i}.`);
    }
    rows.data[i * classes + target] = 1;
  }
  return rows;
}

/** Rows of zeros behind, which weigh nothing. */
function padRows(t: Float32Tensor, rows: number): Float32Tensor {
  const [n = 0, ...rest] = t.dims;
  return n === rows ? t : concatRows([t, float32([rows - n, ...rest])]);
}

function readResults(results: Readonly<Record<string, Tensor>>, first: number, count: number): LossGradient {
  const read = (name: string): Float32Tensor => {
    const value = results[name];
    if (value?.dtype !== "float32") throw new RuntimeFailure(`classifier: expected an output "${name}", got none.`);
    const rows = rowsOf(value, 0, count);
    const wrong = firstNonFinite(rows.data);
    if (wrong < 0) return rows;
    const image = first + Math.floor((wrong * count) / rows.data.length);
    throw new RuntimeFailure(
      `classifier: expected finite losses and gradients, got ${rows.data[wrong]} for image ${image} of the batch.`,
    );
  };
  return { scores: read(SCORES), losses: read(LOSSES), gradient: read(GRADIENT) };
}
