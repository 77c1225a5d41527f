/** @file PlainAdv: the same search as SmoothInv's on the classifier as it is. The baseline that shows what smoothing is worth. */
import { z } from "zod";
import { defineInverter } from "./inverter.ts";
import { needGradients } from "./needs.ts";
import { descentOptions, invertFromSingleImages } from "./single-image.ts";

/** PlainAdv as data. */
export const plainAdv = defineInverter({
  name: "plain-adv",
  summary: "Perturbs one clean image towards each class, by projected descent on the classifier as it is.",
  source:
    'Sun and Kolter 2023, "Single Image Backdoor Inversion via Robust Smoothed Classifiers", section 4.1 (baseline), https://arxiv.org/abs/2303.00215',
  options: z.object(descentOptions),
  presets: {
    paper: [
      { eps: 5, steps: 400 },
      { eps: 10, steps: 400 },
    ],
    recommended: [{ eps: 2, steps: 60 }],
  },
  statistic: "success",
  needs: { prior: false },
  async create(options, context) {
    const robustified = { classifier: needGradients("plain-adv", context), sigma: 0, copies: 1 };
    return {
      invert: (request, run) => invertFromSingleImages("plain-adv", request, { ...options, robustified, context, run }),
      dispose: async () => {},
    };
  },
});
