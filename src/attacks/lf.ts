/** @file LF: a smooth trigger without high frequencies, found against a surrogate. */
import { z } from "zod";
import { OptionError } from "../core/errors.ts";
import { rowsOf } from "../tensor/rows.ts";
import { float32 } from "../tensor/tensor.ts";
import { defineAttack } from "./attack.ts";
import { labelMapOf, labelOptions } from "./label-map.ts";
import { requireNeeds } from "./needs.ts";
import { openTrigger } from "./open-trigger.ts";
import { drawImages } from "./optimise/draw-images.ts";
import { smoothTrigger } from "./optimise/smooth-trigger.ts";
import { chooseRows, eligibleFor } from "./poison.ts";
import { poisoningAttack, ratioOption } from "./poisoning.ts";

const SOURCE =
  'Zeng et al. 2021, "Rethinking the Backdoor Attacks\' Triggers: A Frequency Perspective", section 5, https://arxiv.org/abs/2104.03413; YiZeng623/frequency-backdoor, Sec5_Smooth_Trigger';

/** LF as data. */
export const lf = defineAttack({
  name: "lf",
  summary:
    "Adds one smooth pattern, found against a clean classifier, to some training images, with the attacker's label.",
  source: SOURCE,
  threat: "poison",
  labelMaps: ["all-to-one", "all-to-all", "source-to-target"],
  needs: { surrogate: true },
  published: { where: "first epoch, the authors' repository", attackSuccess: 0.95 },
  options: z.object({
    ...labelOptions,
    poisonRatio: ratioOption(0.1),
    height: z.number().gt(0).max(1).default(0.2).describe("Highest value of the pattern; its lowest is 0."),
    images: z.int().min(1).max(100_000).default(100).describe("Training images that the pattern is found with."),
    fooling: z
      .number()
      .min(0)
      .max(1)
      .default(0.2)
      .describe("Share of other training images whose class the pattern must change before the search ends."),
    passes: z.int().min(1).max(10_000).default(50).describe("Passes over the images after which the search ends."),
    fool: z.int().min(1).max(10_000).default(200).describe("Steps of DeepFool on one image at most."),
    overshoot: z.number().min(0).max(10).default(0.02).describe("How much further than the boundary DeepFool goes."),
  }),
  presets: { official: {}, recommended: { passes: 5, fool: 50 } },
  async create(options, context) {
    const { shape, classes } = requireNeeds(lf, context);
    const { data, seed, surrogate, signal } = context;
    const labels = labelMapOf("lf", options, classes);
    // Said before the search, which takes minutes.
    const share = { ratio: options.poisonRatio, of: "training set", ...eligibleFor(data, labels) } as const;
    chooseRows("lf", share, { items: data.images.dims[0] ?? 0, seed });
    const drawn = drawImages(context, 2 * options.images, { stream: "lf" });
    const half = Math.floor((drawn.dims[0] ?? 0) / 2);
    const classifier = await surrogate?.();
    if (classifier === undefined || half === 0) {
      throw new OptionError(`lf: expected at least two training images, got ${drawn.dims[0] ?? 0}.`);
    }
    const pattern = await smoothTrigger(classifier, {
      ...options,
      images: rowsOf(drawn, 0, half),
      heldOut: rowsOf(drawn, half, 2 * half),
      steps: options.fool,
      signal,
      progress: (done, total) => context.progress?.(done, total),
    });
    const trigger = await openTrigger({
      kind: "additive",
      attack: "lf",
      source: SOURCE,
      seed,
      labels,
      shape,
      parameters: { overflow: "clip" },
      arrays: { pattern: float32(shape, pattern) },
    });
    return poisoningAttack(trigger, context, options);
  },
});
