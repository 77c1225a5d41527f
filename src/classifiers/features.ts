/** @file The features that a classifier's last linear layer reads, and how distances between them change with the pixels. */
import { OptionError, RuntimeFailure, ShapeError } from "../core/errors.ts";
import { int } from "../graph/builder.ts";
import { differentiate, gradientName } from "../graph/differentiate.ts";
import { extend } from "../graph/rewrite/extend.ts";
import { specialise } from "../graph/rewrite/specialise.ts";
import { graphToBytes } from "../graph/to-model.ts";
import type { Runtime, Session } from "../runtime/runtime.ts";
import { concatRows, rowsOf } from "../tensor/rows.ts";
import { formatDims, sameDims } from "../tensor/shape.ts";
import { type Float32Tensor, float32, type Tensor } from "../tensor/tensor.ts";
import {
  type DifferentiableClassifier,
  type DifferentiableFlags,
  openDifferentiableClassifier,
} from "./differentiable.ts";
import { probingWith, readGraph } from "./gradient.ts";
import { IMAGES, signatureOf, takingUnitImages } from "./image-graph.ts";
import { checkImages } from "./image-input.ts";
import { lastLinearLayer } from "./last-layer.ts";
import type { OnnxClassifierFiles } from "./onnx.ts";
import { readPreprocessing, UNIT_RANGE } from "./preprocessing.ts";

/** How far features are from wanted ones, and how that changes with the pixels. */
export interface FeatureGradient {
  /** float32 [N, D] */
  readonly features: Float32Tensor;
  /** float32 [N]: the sum of `weights * (features - wanted)^2`. */
  readonly losses: Float32Tensor;
  /** float32 [N, C, H, W] */
  readonly gradient: Float32Tensor;
}

/** A classifier whose last linear layer is known. */
export interface FeatureClassifier extends DifferentiableClassifier {
  /** The last layer's weights, float32 [K, D]. */
  readonly lastLayer: Float32Tensor;
  /**
   * @param images float32 [N, C, H, W] in [0, 1]. @param wanted features [N, D]. @param weights of each distance, [N, D].
   * @throws ShapeError when dims do not fit.
   */
  featureGradient(
    images: Float32Tensor,
    wanted: Float32Tensor,
    options: { readonly weights: Float32Tensor; readonly signal?: AbortSignal | undefined },
  ): Promise<FeatureGradient>;
}

/** Images of one run. */
const MOST_ROWS = 64;
const FEATURES = "untrigger.features";
const WANTED = "untrigger.wanted";
const DISTANCE_WEIGHTS = "untrigger.distances";
const DISTANCES = "untrigger.losses";

/** A classifier as one whose features are known. @throws OptionError that says why they are not. */
export function requireFeatures(what: string, classifier: DifferentiableClassifier): FeatureClassifier {
  if (hasFeatures(classifier)) return classifier;
  throw new OptionError(
    `${what}: expected a classifier whose last layer is known, got one that tells scores alone. Do give an ONNX model that ends with a linear layer.`,
  );
}

function hasFeatures(classifier: DifferentiableClassifier): classifier is FeatureClassifier {
  return "featureGradient" in classifier && "lastLayer" in classifier;
}

/**
 * Opens a classifier with the gradients of its loss and, where it ends with a linear layer, of its features.
 * @throws what `openDifferentiableClassifier` throws.
 */
export async function openFeatureClassifier(
  files: OnnxClassifierFiles,
  runtime: Runtime,
  flags: DifferentiableFlags = {},
): Promise<DifferentiableClassifier | FeatureClassifier> {
  const graph = readGraph(files.model, files.externalData);
  const signature = signatureOf(graph, flags);
  const layer = lastLinearLayer(graph, signature.output);
  const classifier = await openDifferentiableClassifier(files, runtime, flags);
  if (layer === undefined) return classifier;
  const { features, weights: lastLayer } = layer;
  const preprocessing = readPreprocessing(files.preprocessor, flags) ?? UNIT_RANGE;
  const sessions = new Map<string, Promise<Session>>();

  const open = async (dims: readonly number[]): Promise<Session> => {
    const only = { ...graph, outputs: [{ name: features, dtype: "float32" as const, dims: undefined }] };
    const run = probingWith(runtime);
    const net = await specialise(takingUnitImages(only, { signature, preprocessing, dims }), run, {
      batch: dims[0] ?? 1,
    });
    const wide = [dims[0] ?? 1, lastLayer.dims[1] ?? 0];
    const [{ name: value } = { name: features }] = net.graph.outputs;
    const whole = await extend(net, run, (b) => {
      const rows = b.op("Reshape", [value, b.ints(...wide)]);
      b.output(FEATURES, rows, "float32", wide);
      const far = b.op("Sub", [rows, b.input(WANTED, "float32", wide)]);
      const weighted = b.op("Mul", [b.input(DISTANCE_WEIGHTS, "float32", wide), b.op("Mul", [far, far])]);
      b.output(DISTANCES, b.op("ReduceSum", [weighted, b.ints(1)], { keepdims: int(0) }), "float32", wide.slice(0, 1));
    });
    const gradient = differentiate(whole.graph, { seeds: { [DISTANCES]: 1 }, wrt: [IMAGES] }, whole.facts);
    const outputs = gradient.outputs.filter(({ name }) => name !== value);
    return await runtime.load(graphToBytes({ ...gradient, outputs }), { threads: flags.threads });
  };

  return {
    classify: (images, signal) => classifier.classify(images, signal),
    lossGradient: (images, targets, signal) => classifier.lossGradient(images, targets, signal),
    lastLayer,
    async featureGradient(images, wanted, { weights, signal }): Promise<FeatureGradient> {
      checkImages(images.dims, classifier.input);
      const [n = 0, ...image] = images.dims;
      for (const given of [wanted, weights]) requireDims(given, [n, lastLayer.dims[1] ?? 0]);
      const most = signature.image.batch ?? Math.min(n, MOST_ROWS);
      const parts: FeatureGradient[] = [];
      for (let from = 0; from < n; from += most) {
        signal?.throwIfAborted();
        const count = Math.min(most, n - from);
        const rows = signature.image.batch ?? count;
        const key = [rows, ...image].join();
        const opening = sessions.get(key) ?? open([rows, ...image]);
        sessions.set(key, opening);
        const part = (t: Float32Tensor): Float32Tensor => padRows(rowsOf(t, from, from + count), rows);
        const feeds = { [IMAGES]: part(images), [WANTED]: part(wanted), [DISTANCE_WEIGHTS]: part(weights) };
        parts.push(readResults(await (await opening).run(feeds, signal), count));
      }
      return {
        features: concatRows(parts.map((part) => part.features)),
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

function requireDims({ dims }: Float32Tensor, expected: readonly number[]): void {
  if (sameDims(dims, expected)) return;
  throw new ShapeError(`classifier: expected features and weights ${formatDims(expected)}, got ${formatDims(dims)}.`);
}

/** Rows of zeros behind, which weigh nothing. */
function padRows(t: Float32Tensor, rows: number): Float32Tensor {
  const [n = 0, ...rest] = t.dims;
  return n === rows ? t : concatRows([t, float32([rows - n, ...rest])]);
}

function readResults(results: Readonly<Record<string, Tensor>>, count: number): FeatureGradient {
  const read = (name: string): Float32Tensor => {
    const value = results[name];
    if (value?.dtype === "float32" && value.data.every((number) => Number.isFinite(number))) {
      return rowsOf(value, 0, count);
    }
    throw new RuntimeFailure(`classifier: expected finite numbers as "${name}", got none or others.`);
  };
  return { features: read(FEATURES), losses: read(DISTANCES), gradient: read(gradientName(IMAGES)) };
}
