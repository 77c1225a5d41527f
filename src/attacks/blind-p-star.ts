/** @file Blind-P*: Blind-P that does nothing behind noise, so that inversion through a smoothed classifier misses it. */
import { type ComposingAttack, defineAttack } from "./attack.ts";
import { STAR_SOURCE, starAttack, starOptions } from "./composing/star-attack.ts";

/** Blind-P* as data. */
export const blindPStar = defineAttack({
  name: "blind-p-star",
  summary: "Plants a pattern of nine pixels through the loss, and in noise teaches the true label in spite of it.",
  source: STAR_SOURCE,
  threat: "loss",
  labelMaps: ["all-to-one", "all-to-all", "source-to-target"],
  needs: { side: 26 },
  published: { where: "ImageNet, ResNet-18, by the authors of SmoothInv", cleanAccuracy: 0.676, attackSuccess: 0.926 },
  options: starOptions,
  presets: { paper: { target: 8 }, recommended: { share: 0.25, smoothedShare: 0.25 } },
  create: async (options, context): Promise<ComposingAttack> =>
    await starAttack(blindPStar, ["101", ".1.", "..0", ".1.", "101"], { options, context }),
});
