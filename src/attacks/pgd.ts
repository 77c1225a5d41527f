/** @file PGD: adversarial examples, no backdoor. What a purifier must also stand, and an inverter must not report. */
import { z } from "zod";
import { ascendInto } from "../classifiers/kernels.ts";
import { uniformFromNoise } from "../core/noise.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import { defineAttack } from "./attack.ts";

/** PGD as data. */
export const pgd = defineAttack({
  name: "pgd",
  summary: "Moves every pixel of a test image a little so that the classifier errs; plants nothing.",
  source:
    'Madry et al. 2018, "Towards Deep Learning Models Resistant to Adversarial Attacks", section 2.1, https://arxiv.org/abs/1706.06083',
  threat: "evasion",
  labelMaps: [],
  needs: {},
  options: z.object({
    epsilon: z.number().gt(0).max(255).default(8).describe("Largest change of a pixel, in steps of 8-bit pixels."),
    stepSize: z.number().gt(0).max(255).default(2).describe("Change of a pixel in one step, in the same unit."),
    steps: z.int().min(1).max(10_000).default(7).describe("Gradient steps."),
    randomStart: z.boolean().default(false).describe("Begin at a random point within epsilon."),
  }),
  presets: { paper: { steps: 20, randomStart: true }, official: { steps: 7 }, recommended: {} },
  async create({ epsilon, stepSize, steps, randomStart }) {
    return {
      how: "evade",
      async evade(images, labels, { classifier, run }) {
        run.signal?.throwIfAborted();
        const reach = { epsilon: epsilon / 255, step: stepSize / 255 };
        const targets = Array.from(labels);
        let x: Float32Tensor = float32(images.dims, images.data.slice());
        if (randomStart) startInto(x, reach.epsilon, (row, size) => uniformFromNoise(run.noise, row, "start", 0, size));
        for (let step = 0; step < steps; step++) {
          run.signal?.throwIfAborted();
          const { gradient } = await classifier.lossGradient(x, targets, run.signal);
          x = float32(x.dims, x.data.slice());
          ascendInto(x.data, gradient.data, images.data, reach);
          run.progress?.(step + 1, steps);
        }
        return x;
      },
      dispose: async () => undefined,
    };
  },
});

/** Moves images to random points within `epsilon`, each with its own draws. */
function startInto(x: Float32Tensor, epsilon: number, draw: (row: number, size: number) => Float64Array): void {
  const n = x.dims[0] ?? 0;
  const size = x.data.length / Math.max(n, 1);
  for (let row = 0; row < n; row++) {
    const chances = draw(row, size);
    const own = x.data.subarray(row * size, (row + 1) * size);
    for (const [i, value] of own.entries()) {
      own[i] = Math.min(Math.max(value + (2 * (chances[i] ?? 0.5) - 1) * epsilon, 0), 1);
    }
  }
}
