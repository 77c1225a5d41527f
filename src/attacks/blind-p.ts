/** @file Blind-P: nine pixels, planted by whoever writes the loss. */
import { z } from "zod";
import { type ComposingAttack, defineAttack } from "./attack.ts";
import { BLIND_SOURCE, blindAttack } from "./blind-patterns.ts";
import { labelOptions } from "./label-map.ts";
import { twoTaskOptions } from "./two-tasks.ts";

/** Blind-P as data. */
export const blindP = defineAttack({
  name: "blind-p",
  summary: "Learns every batch a second time with a pattern of nine pixels and the attacker's label, in the loss.",
  source: BLIND_SOURCE,
  threat: "loss",
  labelMaps: ["all-to-one", "all-to-all", "source-to-target"],
  needs: { side: 26 },
  published: {
    where: "ImageNet, ResNet-18, by the authors of SmoothInv",
    cleanAccuracy: 0.6926,
    attackSuccess: 0.9929,
  },
  options: z.object({ ...labelOptions, ...twoTaskOptions }),
  presets: { paper: { target: 8 }, official: { target: 8 }, recommended: { share: 0.25 } },
  create: async (options, context): Promise<ComposingAttack> =>
    await blindAttack(blindP, ["101", ".1.", "..0", ".1.", "101"], { options, context }),
});
