/** @file The graph behind a differentiable classifier: scores, losses, and the gradient by the images. */
import { differentiate, gradientName } from "../graph/differentiate.ts";
import type { Graph } from "../graph/ir.ts";
import type { RunModel } from "../graph/probe.ts";
import { extend } from "../graph/rewrite/extend.ts";
import { specialise } from "../graph/rewrite/specialise.ts";
import type { ScoreKind } from "./classifier.ts";
import { IMAGES, scoreRows, takingUnitImages } from "./image-graph.ts";
import type { Loss } from "./losses.ts";
import type { Signature } from "./onnx-signature.ts";
import type { Preprocessing } from "./preprocessing.ts";

/** Inputs beside the images: targets [N, K]; weights [N], by which losses count. A model has other names. */
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
  const whole = takingUnitImages(only, { signature, preprocessing: parts.preprocessing, dims });
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
