/** @file Fine-tuning: the network learns on, from a few clean images alone. */

import { fitBatch } from "./fit-batch.ts";
import { defineRepair, LEAST_IMAGES } from "./repair.ts";
import { tune, tuningOptions } from "./tuning.ts";

/** Trains all weights on the clean images. */
export const fineTuning = defineRepair({
  name: "fine-tuning",
  summary: "Train all weights on a few clean images.",
  source:
    "Liu, Dolan-Gavitt and Garg 2018, Fine-Pruning: Defending Against Backdooring Attacks on Deep Neural Networks, section 3.2. https://arxiv.org/abs/1805.12185",
  options: tuningOptions,
  needs: { cleanImages: LEAST_IMAGES, heldImages: false },
  presets: {
    paper: { epochs: 10, rate: 0.01, weightDecay: 0 },
    official: { epochs: 100, batch: 256, rate: 0.01 },
    recommended: {},
  },
  async create(settings, context) {
    fitBatch(settings.batch, context);
    return {
      repair: async () => {
        const { graph, state } = await tune(settings, context);
        return { graph, pruned: [], threshold: null, curve: [], losses: state.losses };
      },
    };
  },
});
