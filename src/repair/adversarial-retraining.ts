/** @file Adversarial retraining: the network learns on from clean images that are attacked at every step. */
import { z } from "zod";
import { openPixelGradient } from "../training/pixel-gradient.ts";
import { adversarialBatches } from "./adversarial-batches.ts";
import { fitBatch } from "./fit-batch.ts";
import { defineRepair, LEAST_IMAGES } from "./repair.ts";
import { cleanBatches, tune, tuningOptions } from "./tuning.ts";

const options = tuningOptions.extend({
  epsilon: z.number().gt(0).max(255).default(8).describe("Largest change of a pixel, in units of 1/255."),
  stepSize: z
    .number()
    .gt(0)
    .max(255)
    .default(2)
    .describe("Change of a pixel in one step of the attack, in units of 1/255."),
  steps: z.int().min(1).max(1000).default(7).describe("Steps of the attack on every batch."),
  randomStart: z.boolean().default(true).describe("Whether the attack starts from a random change within its reach."),
  keep: z
    .enum(["last", "all"])
    .default("last")
    .describe("Learn from the attacked images alone, or from the clean ones and those of every step of the attack."),
});

/**
 * Trains all weights on adversarial examples of the network as it is at that moment.
 * @deviation The attack sees the network in inference mode, and its weights of one step before.
 */
export const adversarialRetraining = defineRepair({
  name: "adversarial-retraining",
  summary: "Train all weights on clean images that projected gradient descent attacks at every step.",
  source:
    "Madry et al. 2018, Towards Deep Learning Models Resistant to Adversarial Attacks, section 2. https://arxiv.org/abs/1706.06083",
  options,
  needs: { cleanImages: LEAST_IMAGES, heldImages: false },
  presets: {
    paper: { epsilon: 8, stepSize: 2, steps: 7, randomStart: true, keep: "last" },
    official: { epsilon: 8, stepSize: 2, steps: 7, randomStart: false, keep: "all" },
    recommended: {},
  },
  async create(settings, context) {
    const { net, runtime, threads, seed, signal } = context;
    const batch = fitBatch(settings.batch, context);
    const rows = settings.keep === "all" ? batch * (settings.steps + 1) : batch;
    return {
      repair: async () => {
        const pixels = openPixelGradient(net, { runtime, threads });
        try {
          const clean = cleanBatches(settings, context, batch);
          const batches = adversarialBatches(clean, { attack: settings, pixels, seed, signal });
          const { graph, state } = await tune(settings, context, { batches, rows });
          return { graph, pruned: [], threshold: null, curve: [], losses: state.losses };
        } finally {
          await pixels.dispose();
        }
      },
    };
  },
});
