/** @file Trains the encoder that hides a secret in images, with the decoder that reads it. */
import { OptionError } from "../../core/errors.ts";
import { uniforms } from "../../core/noise.ts";
import { int } from "../../graph/builder.ts";
import type { Graph } from "../../graph/ir.ts";
import { prepend } from "../../graph/rewrite/compose.ts";
import { weightsOf } from "../../nn/checkpoints/weights.ts";
import { freshWeights } from "../../nn/fresh-weights.ts";
import { buildStegaEncoder, buildStegaStamp } from "../../nn/generators/stegastamp.ts";
import { unitFromBytes } from "../../tensor/image-bytes.ts";
import { takeRows } from "../../tensor/rows.ts";
import { float32, type Tensor } from "../../tensor/tensor.ts";
import { train } from "../../training/loop.ts";
import { requireOutput } from "../../training/losses.ts";
import { adam } from "../../training/optimisers.ts";
import { constantRate } from "../../training/schedules.ts";
import { freshState } from "../../training/state.ts";
import { openStep, type WriteLoss } from "../../training/step.ts";
import { trainableOf } from "../../training/trainable.ts";
import { trainedTensors } from "../../training/trained.ts";
import type { AttackContext } from "../attack.ts";
import type { ImageShape } from "../trigger.ts";

/** How encoder and decoder are trained. */
export interface SecretSettings {
  readonly bits: number;
  readonly spatialTransformer: boolean;
  readonly encoderSteps: number;
  readonly encoderBatch: number;
  readonly encoderRate: number;
  /** Share of the steps in which only the secret counts; afterwards the image's weight rises as long again. */
  readonly secretFirst: number;
  readonly imageWeight: number;
  readonly secretWeight: number;
}

const IMAGE_WEIGHT = "image_weight";

/**
 * Trains both nets on the training images with random secrets, and keeps the encoder.
 * @returns its tensors by name. @throws OptionError without a runtime, the signal's reason when aborted.
 * @source Li et al. 2021, section 3.3; THUYimingLi/BackdoorBox, core/attacks/ISSBA.py; SCLBD/BackdoorBench, resource/ssba,
 * for the weight that rises.
 * @deviation no perceptual loss and no critic, which need networks of others; of the image's losses the squared residual
 * remains.
 */
export async function trainEncoder(
  context: AttackContext,
  shape: ImageShape,
  settings: SecretSettings,
): Promise<ReadonlyMap<string, Tensor>> {
  const { data, seed, runtime, signal } = context;
  if (runtime === undefined) throw new OptionError("issba: expected a runtime for its networks, got none. Give one.");
  const { bits, spatialTransformer, encoderSteps: steps, encoderBatch: batch, secretFirst } = settings;
  const [channels, height, width] = shape;
  const drawn = freshWeights(seed);
  const plan = { options: { bits, spatialTransformer }, dims: { channels, height, width }, weights: drawn };
  const graph = buildStegaStamp(plan);
  if (steps === 0) return graph.initializers;
  signal?.throwIfAborted();
  const items = data.images.dims[0] ?? 0;
  const step = await openStep(trainableOf(graph), { runtime, batch, loss: lossOf(settings) });
  try {
    const optimiser = adam();
    const state = freshState(step, optimiser, false);
    const alone = Math.max(1, Math.round(secretFirst * steps));
    await train(step, {
      plan: { steps, optimiser, rate: settings.encoderRate, schedule: constantRate, clip: 1 },
      state,
      signal,
      batches: async (number) => {
        const rows = takeRows(
          data.images,
          Array.from(uniforms(seed, "encoder images", number, batch), (u) => Math.floor(u * items)),
        );
        const secrets = uniforms(seed, "encoder secrets", number, batch * bits);
        const risen = Math.min(Math.max((number - alone) / alone, 0), 1);
        return {
          pixel_values: unitFromBytes(rows.dims, rows.data),
          secret: float32(
            [batch, bits],
            Float32Array.from(secrets, (u) => (u < 0.5 ? 0 : 1)),
          ),
          [IMAGE_WEIGHT]: float32([], [settings.imageWeight * risen]),
        };
      },
      onStep: (report) => context.progress?.(report.step, steps),
    });
    return trainedTensors(step, state);
  } finally {
    await step.dispose();
  }
}

/** `secretWeight * BCE(bits) + image_weight * mean of residual^2`. */
function lossOf({ secretWeight }: SecretSettings): WriteLoss {
  return (b, outputs) => {
    const mean = (value: string): string => b.op("ReduceMean", [value], { keepdims: int(0) });
    const { name: logits } = requireOutput(outputs, "logits");
    const { name: residual } = requireOutput(outputs, "residual");
    const unlikely = mean(b.op("Sub", [b.op("Softplus", [logits]), b.op("Mul", [logits, "secret"])]));
    const change = mean(b.op("Mul", [residual, residual]));
    const weighted = b.op("Mul", [b.input(IMAGE_WEIGHT, "float32", []), change]);
    return b.op("Add", [b.op("Mul", [b.float(secretWeight), unlikely]), weighted]);
  };
}

/** The encoder with one secret for all images: a graph from `pixel_values` to `images`. */
export function encoderGraph(
  tensors: ReadonlyMap<string, Tensor>,
  [channels, height, width]: ImageShape,
  { secret, spatialTransformer }: { readonly secret: readonly number[]; readonly spatialTransformer: boolean },
): Graph {
  const bits = secret.length;
  const graph = buildStegaEncoder({
    options: { bits, spatialTransformer },
    dims: { channels, height, width },
    weights: weightsOf(new Map(tensors), "encoder"),
  });
  const alone = prepend(graph, "secret", (b) => {
    const rows = b.op("Slice", [b.op("Shape", ["pixel_values"]), b.ints(0), b.ints(1)]);
    const dims = b.op("Concat", [rows, b.ints(bits)], { axis: int(0) });
    return b.op("Expand", [b.constant(float32([1, bits], secret)), dims]);
  });
  return { ...alone, outputs: alone.outputs.filter(({ name }) => name === "images") };
}
