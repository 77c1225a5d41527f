/** @file The graph behind a differentiable classifier: images in [0, 1] → scores, losses, and the gradient by the images. */
import { FormatError } from "../core/errors.ts";
import { type GraphBuilder, ints } from "../graph/builder.ts";
import { differentiate, gradientName } from "../graph/differentiate.ts";
import type { Graph, GraphValue, ValueName } from "../graph/ir.ts";
import type { RunModel } from "../graph/probe.ts";
import { prepend } from "../graph/rewrite/compose.ts";
import { extend } from "../graph/rewrite/extend.ts";
import { specialise } from "../graph/rewrite/specialise.ts";
import { elementCount, formatDims } from "../tensor/shape.ts";
import { float32, int64 } from "../tensor/tensor.ts";
import type { ScoreKind } from "./classifier.ts";
import type { Loss } from "./losses.ts";
import type { Signature } from "./onnx-signature.ts";
import type { Preprocessing } from "./preprocessing.ts";

/** Inputs: images [N, C, H, W]; targets [N, K]; weights [N], by which losses count. A model has other names. */
export const IMAGES = "untrigger.images";
export const TARGETS = "untrigger.targets";
export const WEIGHTS = "untrigger.weights";
/** Outputs: scores [N, K]; losses [N]; the gradient of the weighted sum, [N, C, H, W]. */
export const SCORES = "untrigger.scores";
export const LOSSES = "untrigger.losses";
export const GRADIENT = gradientName(IMAGES);

/** What the graph is made of. */
export interface LossGradientParts {
  readonly signature: Signature;
  readonly preprocessing: Preprocessing;
  readonly kind: ScoreKind;
  readonly loss: Loss;
  /** Dims of the images, [N, C, H, W]. */
  readonly dims: readonly number[];
}

/**
 * Writes the preprocessing in front of a classifier's graph and the loss behind it, and differentiates all three.
 * @throws UnsupportedOpError when an operator on the path has no gradient, FormatError when the output is no score per
 * class and image.
 */
export async function lossGradientGraph(graph: Graph, parts: LossGradientParts, run: RunModel): Promise<Graph> {
  const { signature, kind, loss, dims } = parts;
  const only = { ...graph, outputs: graph.outputs.filter(({ name }) => name === signature.output) };
  const whole = prepend(only, signature.input, (b) => modelInput(b, b.input(IMAGES, "float32", dims), parts));
  const net = await specialise(whole, run, { batch: dims[0] ?? 1 });
  const output = { name: signature.output, ...net.facts.get(signature.output) };
  const withLoss = await extend(net, run, (b) => {
    const scores = scoreRows(b, output, dims[0] ?? 1);
    b.output(SCORES, scores.value, "float32", scores.dims);
    const targets = b.input(TARGETS, "float32", scores.dims);
    b.output(LOSSES, loss(b, { scores: scores.value, targets, kind }), "float32", scores.dims.slice(0, 1));
  });
  const request = { seeds: { [LOSSES]: WEIGHTS }, wrt: [IMAGES] };
  const gradient = differentiate(withLoss.graph, request, withLoss.facts);
  return { ...gradient, outputs: gradient.outputs.filter(({ name }) => name !== signature.output) };
}

/** Images in [0, 1] as the model takes them. */
function modelInput(
  b: GraphBuilder,
  images: ValueName,
  { signature, preprocessing, dims }: LossGradientParts,
): ValueName {
  const { gain, shift, reverse } = preprocessing;
  const channels = dims[1] ?? 1;
  const vector = (values: readonly number[]): ValueName => b.constant(float32([values.length, 1, 1], values));
  const scaled = gain.every((value) => value === 1) ? images : b.op("Mul", [images, vector(gain)]);
  const moved = shift.every((value) => value === 0) ? scaled : b.op("Add", [scaled, vector(shift)]);
  const backwards = Array.from({ length: channels }, (_, i) => channels - 1 - i);
  const ordered = reverse
    ? b.op("Gather", [moved, b.constant(int64([channels], backwards))], { axis: { kind: "int", value: 1 } })
    : moved;
  const laidOut =
    signature.image.layout === "NHWC" ? b.op("Transpose", [ordered], { perm: ints(0, 2, 3, 1) }) : ordered;
  return signature.dtype === "float16" ? b.op("Cast", [laidOut], { to: { kind: "int", value: 10 } }) : laidOut;
}

/** The scores as float32 [N, K]; axes of length 1 behind K go. */
function scoreRows(
  b: GraphBuilder,
  { name, dtype, dims = [] }: Partial<GraphValue> & { name: ValueName; dims?: readonly number[] },
  rows: number,
): { value: ValueName; dims: readonly number[] } {
  const classes = elementCount(dims) / rows;
  if (dims[0] !== rows || dims.slice(1).filter((dim) => dim !== 1).length !== 1) {
    throw new FormatError(`classifier: expected scores [${rows}, K] for gradients, got ${formatDims(dims)}.`);
  }
  const floats = dtype === "float32" ? name : b.op("Cast", [name], { to: { kind: "int", value: 1 } });
  return {
    value: dims.length === 2 ? floats : b.op("Reshape", [floats, b.ints(rows, classes)]),
    dims: [rows, classes],
  };
}
