/** @file A classifier of which the whole graph is at hand: other graphs can be put in front of it. */
import { OptionError } from "../core/errors.ts";
import type { Graph } from "../graph/ir.ts";
import { compose } from "../graph/rewrite/compose.ts";
import { normalise } from "../graph/rewrite/normalise.ts";
import { graphToBytes } from "../graph/to-model.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Classifier } from "./classifier.ts";
import {
  type DifferentiableClassifier,
  type DifferentiableFlags,
  openDifferentiableClassifier,
} from "./differentiable.ts";
import { readGraph } from "./gradient.ts";
import { IMAGES, signatureOf, takingUnitImages } from "./image-graph.ts";
import type { OnnxClassifierFiles } from "./onnx.ts";
import { readPreprocessing, UNIT_RANGE } from "./preprocessing.ts";

/** A classifier with gradients that can stand behind other graphs. */
export interface WhiteBox extends DifferentiableClassifier {
  /**
   * The same classifier behind another graph, as one model: gradients pass through both in one run. Whoever opens it
   * disposes it.
   * @param front takes images [N, C, H, W] as its only input and gives images in [0, 1], of the dims that the classifier
   * takes, as its only output.
   * @param batch images of one run at most. @throws OptionError when the two are for batches of different fixed sizes; what
   * opening a classifier throws.
   */
  behind(front: Graph, batch?: number): Promise<DifferentiableClassifier>;
}

/** A classifier as one with gradients. @throws OptionError that says why it has none, and what does without. */
export function requireGradients(what: string, classifier: Classifier): DifferentiableClassifier {
  if ("lossGradient" in classifier) return classifier as DifferentiableClassifier;
  throw new OptionError(
    `${what}: expected a classifier from an ONNX file, because triggers are found by gradients, got one that answers scores alone. ` +
      "Do give its file; where there is only an endpoint, purify what goes into it, which needs no more than its answers.",
  );
}

/** A classifier as one whose graph is at hand. @throws OptionError that says why it is not. */
export function requireWhiteBox(what: string, classifier: Classifier): WhiteBox {
  const differentiable = requireGradients(what, classifier);
  if ("behind" in differentiable) return differentiable as WhiteBox;
  throw new OptionError(`${what}: expected a classifier whose graph is at hand, got one with gradients alone.`);
}

/** Opens a classifier with gradients and its graph. @throws what `openDifferentiableClassifier` throws. */
export async function openWhiteBox(
  files: OnnxClassifierFiles,
  runtime: Runtime,
  flags: DifferentiableFlags = {},
): Promise<WhiteBox> {
  const classifier = await openDifferentiableClassifier(files, runtime, flags);
  return {
    classify: (images, signal) => classifier.classify(images, signal),
    lossGradient: (images, targets, signal) => classifier.lossGradient(images, targets, signal),
    async behind(front, batch) {
      const { graph, input, output } = joined(front, files, flags);
      const { loss, scores, threads } = flags;
      // What the model is told about images is inside the graph by now.
      const told = { mean: 0, std: 1, layout: "NCHW", input, output } as const;
      const model = { model: graphToBytes(graph), config: files.config };
      return await openDifferentiableClassifier(model, runtime, { loss, scores, threads, batch, ...told });
    },
    labels: classifier.labels,
    input: classifier.input,
    hash: classifier.hash,
    get calls() {
      return classifier.calls;
    },
    dispose: () => classifier.dispose(),
  };
}

/** Both graphs as one, with the names of what goes in and what comes out. */
function joined(
  front: Graph,
  files: OnnxClassifierFiles,
  flags: DifferentiableFlags,
): { readonly graph: Graph; readonly input: string; readonly output: string } {
  const own = normalise(readGraph(files.model, files.externalData));
  const signature = signatureOf(own, flags);
  const preprocessing = readPreprocessing(files.preprocessor, flags) ?? UNIT_RANGE;
  const first = normalise(front);
  const [source] = first.inputs;
  const [made] = first.outputs;
  if (source?.dims === undefined || made === undefined || first.inputs.length !== 1 || first.outputs.length !== 1) {
    throw new OptionError(
      `classifier: expected a graph of one input and one output in front of it, got ${first.inputs.length} and ${first.outputs.length}.`,
    );
  }
  const [rows = "N", ...image] = source.dims;
  const { batch } = signature.image;
  if (typeof rows === "number" && batch !== undefined && rows !== batch) {
    throw new OptionError(
      `classifier: expected a graph for batches of ${batch} in front of it, as the model has it fixed, got one for ${rows}. Do export one of them with a dynamic batch.`,
    );
  }
  const dims = [batch ?? rows, ...image];
  const scored = { ...own, outputs: own.outputs.filter(({ name }) => name === signature.output) };
  const last = takingUnitImages(scored, { signature, preprocessing, dims });
  // Operators of our own builder mean the same in every later version.
  const opsets = { ...first.opsets, "": Math.max(first.opsets[""] ?? 0, last.opsets[""] ?? 0) };
  const begin = { ...first, opsets, inputs: [{ ...source, dims }] };
  const whole = compose(begin, { ...last, opsets: { ...last.opsets, "": opsets[""] } }, { [IMAGES]: made.name });
  const outputs = whole.outputs.slice(-1);
  const [output = made] = outputs;
  return { graph: { ...whole, outputs }, input: source.name, output: output.name };
}
