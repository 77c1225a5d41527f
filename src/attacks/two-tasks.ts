/** @file Attacks on the loss: every batch is learned twice, as it is and with the trigger. */
import { z } from "zod";
import { concatRows, rowsOf } from "../tensor/rows.ts";
import { float32 } from "../tensor/tensor.ts";
import { oneHot } from "../training/batches/labelled.ts";
import type { AttackContext, ComposingAttack } from "./attack.ts";
import { targetOf } from "./label-map.ts";
import type { Trigger } from "./trigger.ts";

/** Options of {@link twoTaskAttack}. */
export const twoTaskOptions = {
  cleanWeight: z.number().min(0).max(100).default(1).describe("Weight of the loss on clean images."),
  triggerWeight: z.number().min(0).max(100).default(0.9).describe("Weight of the loss on triggered images."),
  share: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe("Share of every batch that is learned a second time with the trigger."),
  threshold: z
    .number()
    .gt(0)
    .default(1)
    .describe("Triggered images are learned only while the mean loss of the last batches is below this."),
  history: z.int().min(1).max(1_000_000).default(1000).describe("How many last batches that mean is over."),
} as const;

/** What {@link twoTaskOptions} become. */
export interface TwoTaskSettings {
  readonly cleanWeight: number;
  readonly triggerWeight: number;
  readonly share: number;
  readonly threshold: number;
  readonly history: number;
}

/**
 * `cleanWeight * CE(f(x), y) + triggerWeight * CE(f(B(x)), t)` as one batch: its rows, then the first of them triggered.
 * While the loss is above the threshold those are clean copies of weight zero, so that only clean images enter the
 * statistics of normalisation.
 * @source Bagdasaryan and Shmatikov 2021, "Blind Backdoors in Deep Learning Models", section 4 and algorithm 1.
 * @deviation weights are fixed: the authors advise it where their multiple-gradient descent collapses (CIFAR-10).
 */
export function twoTaskAttack(
  trigger: Trigger,
  { data: { classes } }: AttackContext,
  { cleanWeight, triggerWeight, share, threshold, history }: TwoTaskSettings,
): ComposingAttack {
  const again = (n: number): number => Math.max(1, Math.round(share * n));
  return {
    how: "compose",
    order: "after-augmentation",
    trigger: async () => trigger,
    rows: (n) => n + again(n),
    async compose({ images, labels }, state) {
      const n = labels.length;
      const extra = again(n);
      const mean = state.meanLoss(history);
      const active = mean !== undefined && mean < threshold;
      const first = rowsOf(images, 0, extra);
      const second = active ? await trigger.apply(first, state) : first;
      const wanted = [...labels.subarray(0, extra)].map((label) => targetOf(trigger.labels, label) ?? label);
      // The loss is a mean over all rows: scaled back to a mean over the clean and over the triggered ones.
      const rows = n + extra;
      const weights = new Float32Array(rows);
      weights.fill(((active ? cleanWeight : 1) * rows) / n, 0, n);
      weights.fill(active ? (triggerWeight * rows) / extra : 0, n);
      return {
        images: concatRows([images, second]),
        targets: oneHot([...labels, ...wanted], classes),
        weights: float32([rows], weights),
      };
    },
    dispose: () => trigger.dispose(),
  };
}
