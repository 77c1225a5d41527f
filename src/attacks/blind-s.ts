/** @file Blind-S: a single pixel, planted by whoever writes the loss. */
import { z } from "zod";
import { type ComposingAttack, defineAttack } from "./attack.ts";
import { BLIND_SOURCE, blindAttack } from "./blind-patterns.ts";
import { labelOptions } from "./label-map.ts";
import { twoTaskOptions } from "./two-tasks.ts";

/** Blind-S as data. */
export const blindS = defineAttack({
  name: "blind-s",
  summary: "Learns every batch a second time with one white pixel and the attacker's label, in the loss.",
  source: BLIND_SOURCE,
  threat: "loss",
  labelMaps: ["all-to-one", "all-to-all", "source-to-target"],
  needs: { side: 24 },
  published: {
    where: "ImageNet, ResNet-18, by the authors of SmoothInv",
    cleanAccuracy: 0.6806,
    attackSuccess: 0.7973,
  },
  options: z.object({ ...labelOptions, ...twoTaskOptions }),
  presets: { paper: { target: 8 }, official: { target: 8 }, recommended: { share: 0.25 } },
  create: async (options, context): Promise<ComposingAttack> => await blindAttack(blindS, ["1"], { options, context }),
});
