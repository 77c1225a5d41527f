import { beforeAll, expect, test } from "vitest";
import { runModel } from "../../test/support/run-model.ts";
import { graphToBytes } from "../graph/to-model.ts";
import { weightsOf } from "../nn/checkpoints/weights.ts";
import { freshWeights } from "../nn/fresh-weights.ts";
import { buildMaskedAutoencoder } from "../nn/generators/masked-autoencoder.ts";
import { createNodeRuntime } from "../runtime/node.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { float32, type Tensor, tensor } from "../tensor/tensor.ts";
import { maskedBatches, visiblePatches } from "./batches/masked.ts";
import { adamW } from "./optimisers.ts";
import { constantRate } from "./schedules.ts";
import { trainMae } from "./train-mae.ts";

const dims = { channels: 1, height: 8, width: 8 };
const options = { patch: 2, width: 16, depth: 1, heads: 2, decoderWidth: 16, decoderDepth: 1, decoderHeads: 2 };
/** Pictures of one grey each: what is hidden can be told from what is seen. */
const images = tensor(
  "uint8",
  [64, 1, 8, 8],
  Uint8Array.from({ length: 4096 }, (_, i) => 4 * Math.floor(i / 64)),
);

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createNodeRuntime({ threads: 1 });
});

test("a masked auto-encoder learns to paint what it does not see, on few patches, for any number of them", async () => {
  const visible = visiblePatches(16, 0.75);
  const fresh = freshWeights(1);
  const graph = buildMaskedAutoencoder({ options, dims, weights: fresh, visible });
  const { weights, state } = await trainMae({
    runtime,
    threads: 1,
    graph,
    image: { ...dims, patch: 2 },
    batch: 16,
    batches: maskedBatches({ images, patches: 16, visible, batch: 16, seed: 1 }),
    plan: { steps: 80, optimiser: adamW(), rate: 5e-3, schedule: constantRate },
  });
  const recent = state.losses.slice(-10).reduce((sum, loss) => sum + loss, 0) / 10;
  expect(recent).toBeLessThan(state.losses[0]! / 4);
  expect([...weights.keys()].sort()).toEqual([...fresh.state.keys()].sort());

  const any = buildMaskedAutoencoder({ options, dims, weights: weightsOf(weights as Map<string, Tensor>, "trained") });
  const grey = float32([1, 1, 8, 8], new Float32Array(64).fill(0.7));
  const mask = float32([1, 16], [0, ...Array<number>(15).fill(1)]);
  const { prediction } = await runModel(graphToBytes(any), { pixel_values: grey, mask });
  const hidden = (prediction!.data as Float32Array).filter((_, i) => i >= 16 || i % 8 >= 2);
  expect(hidden.reduce((sum, value) => sum + Math.abs(value - 0.7), 0) / hidden.length).toBeLessThan(0.15);
});
