import { beforeAll, describe, expect, test } from "vitest";
import { linearBetas, makeSchedule } from "../diffusion/schedules.ts";
import { diffusersUNet } from "../diffusion/unet/diffusers.ts";
import { planUNet } from "../diffusion/unet/plan-unet.ts";
import { freshWeights } from "../nn/fresh-weights.ts";
import { createNodeRuntime } from "../runtime/node.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { diffusionBatches } from "./batches/diffusion.ts";
import type { TrainingPlan } from "./loop.ts";
import { adam } from "./optimisers.ts";
import { constantRate } from "./schedules.ts";
import { type PriorTraining, trainPrior } from "./train-prior.ts";

const dims = { channels: 1, height: 8, width: 8 };
const images = tensor(
  "uint8",
  [16, 1, 8, 8],
  Uint8Array.from({ length: 1024 }, (_, i) => (i % 8 < 4 ? 255 : 0)),
);
const plan: TrainingPlan = {
  steps: 12,
  optimiser: adam(),
  rate: 2e-3,
  schedule: constantRate,
  clip: 1,
  averaging: 0.9,
};

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createNodeRuntime({ threads: 1 });
});

function train(changes: Partial<PriorTraining> = {}) {
  const config = planUNet({ widths: [8, 8], ...dims });
  const { graph } = diffusersUNet(config, freshWeights(1), dims);
  const batches = diffusionBatches({ images, schedule: makeSchedule(linearBetas(100)), batch: 8, seed: 2 });
  return trainPrior({ runtime, threads: 1, graph, batch: 8, batches, plan, ...changes });
}

describe("a prior", () => {
  test("learns to predict noise, and comes back as tensors by the names that it began with", async () => {
    const { weights, state } = await train();
    const recent = state.losses.slice(-4).reduce((sum, loss) => sum + loss, 0) / 4;
    expect(recent).toBeLessThan(0.8 * state.losses[0]!);
    const drawn = freshWeights(1);
    diffusersUNet(planUNet({ widths: [8, 8], ...dims }), drawn, dims);
    expect([...weights.keys()].sort()).toEqual([...drawn.state.keys()].sort());
  });

  test("shows the weights that would be saved now, every so often", async () => {
    const shown: [number, ReadonlyMap<string, Tensor>][] = [];
    const { weights } = await train({
      sampling: {
        every: 6,
        show: async (now, step) => {
          shown.push([step, now]);
        },
      },
    });
    expect(shown.map(([step]) => step)).toEqual([6, 12]);
    expect(shown[1]![1]).toEqual(weights);
    expect(shown[0]![1]).not.toEqual(weights);
  });

  test("sheets that fail stop it with their reason, at a step that is whole", async () => {
    const failing = train({ sampling: { every: 3, show: () => Promise.reject(new Error("no room for a sheet")) } });
    await expect(failing).rejects.toThrow("no room for a sheet");
  });
});
