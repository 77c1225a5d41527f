/** @file ZIP's naive transformation: what its linear map alone does, without a diffusion model. A cheap comparison. */
import { z } from "zod";
import { differenceMap } from "./evidence.ts";
import { definePurifier } from "./purifier.ts";
import { poolOperator, rangeOf } from "./zip-operators.ts";

/** The naive transformation A+ A as data. */
export const zipTransform = definePurifier({
  name: "zip-transform",
  summary: "Replaces every block of pixels by its mean: ZIP's linear map without the diffusion that restores detail.",
  source:
    'Shi et al. 2023, "Black-box Backdoor Defense via Zero-shot Image Purification", section 4 (naive transformation), https://arxiv.org/abs/2303.12175',
  options: z.object({
    scale: z.int().min(1).max(64).default(2).describe("Side of the blocks, in pixels."),
  }),
  presets: { paper: [{}] },
  needs: { prior: false, classifier: false },
  async create({ scale }) {
    const operator = poolOperator(scale);
    return {
      sigma01: {},
      async purify(images, run) {
        run.signal?.throwIfAborted();
        const purified = rangeOf(operator, images);
        run.progress?.(1, 1);
        return { images: purified, evidence: { difference: differenceMap(images, purified) } };
      },
    };
  },
});
