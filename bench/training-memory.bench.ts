/** @file Memory of trainings: that it does not grow over 2,000 steps, and the most that a step of a U-Net takes. */
import { parseArgs } from "node:util";
import { diffusersUNet, linearBetas, makeSchedule, planUNet } from "untrigger/diffusion";
import { buildClassifier, freshWeights } from "untrigger/nn";
import type { Feeds } from "untrigger/runtime";
import { createNodeRuntime } from "untrigger/runtime/node";
import { tensor } from "untrigger/tensor";
import {
  adam,
  constantRate,
  crossEntropyLoss,
  diffusionBatches,
  freshState,
  labelledBatches,
  openStep,
  ROW_WEIGHTS,
  type StepBatches,
  squaredLoss,
  TARGETS,
  type TrainingStep,
  train,
  trainableOf,
  writeState,
} from "untrigger/training";

const DIMS = { channels: 1, height: 28, width: 28 };
const COUNT = 4096;
const images = tensor(
  "uint8",
  [COUNT, 1, 28, 28],
  Uint8Array.from({ length: COUNT * 784 }, (_, i) => (i * 2_654_435_761) % 251),
);

/** Flags: `--steps 2000`, `--unet-steps 4`, `--unet-batch 128`, `--threads 1`. */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      steps: { type: "string", default: "2000" },
      "unet-steps": { type: "string", default: "4" },
      "unet-batch": { type: "string", default: "128" },
      threads: { type: "string", default: "1" },
    },
  });
  const runtime = await createNodeRuntime({ threads: Number(values.threads) });

  const cnn = trainableOf(
    buildClassifier({
      architecture: "small-cnn",
      options: { width: 8 },
      classes: 10,
      dims: DIMS,
      weights: freshWeights(1),
    }),
  );
  const small = await openStep(cnn, { runtime, batch: 32, loss: crossEntropyLoss("logits") });
  const labels = Uint8Array.from({ length: COUNT }, (_, i) => i % 10);
  const labelled = labelledBatches({ images, labels, classes: 10, batch: 32, seed: 1 });
  const noted = await follow(small, {
    steps: Number(values.steps),
    every: 100,
    batches: async (step) => {
      const { images: pixels, targets, weights } = await labelled(step);
      return { pixel_values: pixels, [TARGETS]: targets, [ROW_WEIGHTS]: weights };
    },
  });
  const half = noted.slice(Math.floor(noted.length / 2));
  console.log(
    `Growth over the second half of ${values.steps} steps: ${((half.at(-1) ?? 0) - (half[0] ?? 0)).toFixed(0)} MiB.`,
  );
  await small.dispose();

  const batch = Number(values["unet-batch"]);
  const { graph } = diffusersUNet(planUNet(DIMS), freshWeights(1), DIMS);
  const unet = await openStep(trainableOf(graph), { runtime, batch, loss: squaredLoss("out", "noise") });
  await follow(unet, {
    steps: Number(values["unet-steps"]),
    every: 1,
    batches: diffusionBatches({ images, schedule: makeSchedule(linearBetas(1000)), batch, seed: 1 }),
  });
  await unet.dispose();
  const peak = process.resourceUsage().maxRSS / 1024;
  console.log(
    `U-Net of ${unet.weights.size} weights at batch ${batch}: ${peak.toFixed(0)} MiB at most, everything counted.`,
  );
}

/** Trains, with a checkpoint each time that the resident size is noted. @returns MiB. */
async function follow(
  step: TrainingStep,
  { steps, every, batches }: { steps: number; every: number; batches: StepBatches<Feeds> },
): Promise<number[]> {
  const noted: number[] = [];
  const optimiser = adam();
  await train(step, {
    plan: { steps, optimiser, rate: 1e-3, schedule: constantRate, clip: 1, averaging: 0.999 },
    state: freshState(step, optimiser, true),
    batches,
    onStep: ({ step: made, loss }, state) => {
      if (made % every > 0) return;
      const bytes = writeState(state, "bench").length;
      const resident = process.memoryUsage().rss / 2 ** 20;
      noted.push(resident);
      console.log(
        `${String(made).padStart(6)} steps  ${resident.toFixed(0)} MiB resident  loss ${loss.toFixed(4)}  state ${bytes} bytes`,
      );
    },
  });
  return noted;
}
