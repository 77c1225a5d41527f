/** @file Blind-S*: Blind-S that does nothing behind noise, so that inversion through a smoothed classifier misses it. */
import { type ComposingAttack, defineAttack } from "./attack.ts";
import { STAR_SOURCE, starAttack, starOptions } from "./composing/star-attack.ts";

/** Blind-S* as data. */
export const blindSStar = defineAttack({
  name: "blind-s-star",
  summary: "Plants one white pixel through the loss, and in noise teaches the true label in spite of it.",
  source: STAR_SOURCE,
  threat: "loss",
  labelMaps: ["all-to-one", "all-to-all", "source-to-target"],
  needs: { side: 24 },
  published: { where: "ImageNet, ResNet-18, by the authors of SmoothInv", cleanAccuracy: 0.666, attackSuccess: 0.458 },
  options: starOptions,
  presets: { paper: { target: 8 }, recommended: { share: 0.25, smoothedShare: 0.25 } },
  create: async (options, context): Promise<ComposingAttack> =>
    await starAttack(blindSStar, ["1"], { options, context }),
});
