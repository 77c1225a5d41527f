/** @file The net that draws the trigger of an image: it learns beside the victim, from the victim's pixel gradients. */

import { int } from "../../graph/builder.ts";
import type { Graph } from "../../graph/ir.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { type Float32Tensor, float32, type Tensor } from "../../tensor/tensor.ts";
import { requireOutput } from "../../training/losses.ts";
import { freshState } from "../../training/state.ts";
import { openStep } from "../../training/step.ts";
import { trainableOf } from "../../training/trainable.ts";
import { trainedTensors } from "../../training/trained.ts";
import { diversityLoss, generatorOptimiser } from "./mask-net.ts";

/** A pattern net in training. Whoever opens it disposes it. */
export interface PatternNet {
  /** The patterns of as many images as it was opened for, as training sees them. */
  patterns(images: Float32Tensor): Promise<Float32Tensor>;
  /** One step down: @param slopes how the victim's loss changes with each pattern, [N, C, H, W]. */
  learn(images: Float32Tensor, slopes: Float32Tensor): Promise<void>;
  /** Its tensors as they are now, by name. */
  tensors(): ReadonlyMap<string, Tensor>;
  dispose(): Promise<void>;
}

const SLOPES = "slopes";

/**
 * Opens the training of a pattern net on batches of `rows` images. The loss is what the victim's loss becomes when patterns
 * change a little, `sum of slopes * pattern`, and the diversity of the patterns.
 */
export async function openPatternNet(
  graph: Graph,
  {
    runtime,
    rows,
    rate,
    diversityWeight,
  }: { readonly runtime: Runtime; readonly rows: number; readonly rate: number; readonly diversityWeight: number },
): Promise<PatternNet> {
  const dims = graph.outputs[0]?.dims?.slice(1).map(Number) ?? [];
  const step = await openStep(trainableOf(graph), {
    runtime,
    batch: rows,
    loss: (b, outputs) => {
      const { name: pattern } = requireOutput(outputs, "pattern");
      const slopes = b.input(SLOPES, "float32", [rows, ...dims]);
      const change = b.op("ReduceSum", [b.op("Mul", [slopes, pattern])], { keepdims: int(0) });
      return b.op("Add", [change, diversityLoss(b, pattern, { rows, weight: diversityWeight })]);
    },
  });
  const state = freshState(step, generatorOptimiser, false);
  const gradient = new Float32Array(state.weights.length);
  const statistics = new Float32Array(state.statistics.length);
  const nothing = float32([rows, ...dims]);
  return {
    async patterns(images) {
      const { outputs } = await step.run(state, { pixel_values: images, [SLOPES]: nothing }, { gradient, statistics });
      const made = outputs["pattern"];
      return made?.dtype === "float32" ? made : nothing;
    },
    async learn(images, slopes) {
      await step.run(state, { pixel_values: images, [SLOPES]: slopes }, { gradient, statistics });
      generatorOptimiser.update(state.weights, gradient, state.memory, { rate, step: state.step });
      state.statistics.set(statistics);
      state.step += 1;
    },
    tensors: () => trainedTensors(step, state),
    dispose: () => step.dispose(),
  };
}
