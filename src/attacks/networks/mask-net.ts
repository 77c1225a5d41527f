/** @file The net that says where the trigger of an image lies: trained before the victim, then left as it is. */
import { OptionError } from "../../core/errors.ts";
import { uniforms } from "../../core/noise.ts";
import { GraphBuilder, int } from "../../graph/builder.ts";
import type { Graph, ValueName } from "../../graph/ir.ts";
import type { Weights } from "../../nn/checkpoints/weights.ts";
import {
  type InputAwareKind,
  type InputAwareOptions,
  inputAwareGenerator,
} from "../../nn/generators/input-aware-generator.ts";
import { unitFromBytes } from "../../tensor/image-bytes.ts";
import { takeRows } from "../../tensor/rows.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { train } from "../../training/loop.ts";
import { requireOutput } from "../../training/losses.ts";
import { adam } from "../../training/optimisers.ts";
import { stepRate } from "../../training/schedules.ts";
import { freshState } from "../../training/state.ts";
import { openStep } from "../../training/step.ts";
import { trainableOf } from "../../training/trainable.ts";
import { trainedTensors } from "../../training/trained.ts";
import type { AttackContext } from "../attack.ts";
import type { ImageShape } from "../trigger.ts";

/** How the mask net is trained. */
export interface MaskSettings {
  readonly maskSteps: number;
  readonly maskBatch: number;
  readonly generatorRate: number;
  /** Share of the image that the mask may cover for nothing. */
  readonly density: number;
  readonly densityWeight: number;
  readonly diversityWeight: number;
}

/** One of the two generators as a graph of its own, from `pixel_values` to its name. */
export function generatorGraph(
  kind: InputAwareKind,
  [channels, height, width]: ImageShape,
  { weights, options }: { readonly weights: Weights; readonly options: InputAwareOptions },
): Graph {
  const b = new GraphBuilder();
  const value = b.input("pixel_values", "float32", ["N", channels, height, width]);
  const made = inputAwareGenerator({ b, weights }, kind, { value, channels, height, width }, { ...options, kind });
  b.output(kind, made.value, "float32", ["N", made.channels, height, width]);
  return b.build(kind);
}

/** Adam as the authors use it for both nets. */
export const generatorOptimiser = adam({ beta1: 0.5, beta2: 0.9 });

/**
 * Trains the mask net: small masks, and other ones for other images.
 * @returns its tensors by name. @throws OptionError without a runtime, the signal's reason when aborted.
 * @source Nguyen and Tran 2020, section 4.3; the authors' train_mask_step
 */
export async function trainMaskNet(
  { data, seed, runtime, signal, progress }: AttackContext,
  graph: Graph,
  settings: MaskSettings,
): Promise<ReadonlyMap<string, Tensor>> {
  if (runtime === undefined)
    throw new OptionError("input-aware: expected a runtime for its networks, got none. Give one.");
  const { maskSteps: steps, maskBatch: batch, density, densityWeight, diversityWeight } = settings;
  if (steps === 0) return graph.initializers;
  signal?.throwIfAborted();
  const items = data.images.dims[0] ?? 0;
  const step = await openStep(trainableOf(graph), {
    runtime,
    batch,
    loss: (b, outputs) => {
      const { name: mask } = requireOutput(outputs, "mask");
      const over = b.op("Relu", [b.op("Sub", [mask, b.float(density)])]);
      const size = b.op("Mul", [b.float(densityWeight), b.op("ReduceMean", [over], { keepdims: int(0) })]);
      return b.op("Add", [size, diversityLoss(b, mask, { rows: batch, weight: diversityWeight })]);
    },
  });
  try {
    const state = freshState(step, generatorOptimiser, false);
    await train(step, {
      plan: {
        steps,
        optimiser: generatorOptimiser,
        rate: settings.generatorRate,
        schedule: stepRate({ milestones: [0.4, 0.8] }),
      },
      state,
      signal,
      batches: async (number) => {
        const chances = uniforms(seed, "mask images", number, batch);
        const rows = takeRows(
          data.images,
          Array.from(chances, (u) => Math.floor(u * items)),
        );
        return { pixel_values: unitFromBytes(rows.dims, rows.data) };
      },
      onStep: (report) => progress?.(report.step, steps),
    });
    return trainedTensors(step, state);
  } finally {
    await step.dispose();
  }
}

/**
 * Large where images differ and what is made of them does not: the mean over rows of the distance of an image to the next
 * one, over that of their values.
 * @source Nguyen and Tran 2020, eq. 5
 */
export function diversityLoss(
  b: GraphBuilder,
  made: ValueName,
  { rows, weight }: { readonly rows: number; readonly weight: number },
): ValueName {
  const next = (value: ValueName): ValueName => {
    const rest = b.op("Slice", [value, b.ints(1), b.ints(rows), b.ints(0)]);
    return b.op("Concat", [rest, b.op("Slice", [value, b.ints(0), b.ints(1), b.ints(0)])], { axis: int(0) });
  };
  const far = (value: ValueName): ValueName => {
    const change = b.op("Sub", [value, next(value)]);
    const mean = b.op("ReduceMean", [b.op("Mul", [change, change]), b.ints(1, 2, 3)], { keepdims: int(0) });
    // Equal rows have no distance, and a root of zero no gradient.
    return b.op("Sqrt", [b.op("Add", [mean, b.float(1e-12)])]);
  };
  const ratio = b.op("Div", [far("pixel_values"), b.op("Add", [far(made), b.float(1e-7)])]);
  return b.op("Mul", [b.float(weight), b.op("ReduceMean", [ratio], { keepdims: int(0) })]);
}
