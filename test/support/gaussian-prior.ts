/** @file A prior and a classifier in closed form: real arithmetic, so that tests of purifiers need no model file. */
import type { Classifier } from "../../src/classifiers/classifier.ts";
import type { Prior } from "../../src/diffusion/prior.ts";
import { linearBetas, makeSchedule } from "../../src/diffusion/schedules.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { gaussianDenoiser } from "./denoisers.ts";

/** A prior over images of given dims whose pixels are N(.1, .35) on their own; linear betas. */
export function gaussianPrior(channels: number, height: number, width: number, steps = 1000): Prior {
  const schedule = makeSchedule(linearBetas(steps));
  return {
    predict: gaussianDenoiser(schedule, 0.1, Math.sqrt(0.35)),
    schedule,
    dims: { channels, height, width },
    variance: "fixed-small",
    hash: "0".repeat(64),
    dispose: async () => {},
  };
}

/** A classifier of `classes` classes whose logits are fixed waves over the pixels. */
export function linearClassifier(classes: number, kind: "logits" | "labels" = "logits"): Classifier {
  let calls = 0;
  return {
    async classify(images, signal) {
      signal?.throwIfAborted();
      const rows = images.dims[0]!;
      const size = images.data.length / rows;
      calls += rows;
      const scores = float32([rows, classes]);
      for (let row = 0; row < rows; row++) {
        const own = scores.data.subarray(row * classes, (row + 1) * classes);
        for (let k = 0; k < classes; k++) {
          for (let i = 0; i < size; i++) own[k]! += Math.sin((k + 1) * (i + 1)) * images.data[row * size + i]!;
        }
        if (kind === "labels") own.set(own.map((score) => (score === Math.max(...own) ? 1 : 0)));
      }
      return { scores, kind };
    },
    labels: undefined,
    input: {},
    hash: "1".repeat(64),
    get calls() {
      return calls;
    },
    dispose: async () => {},
  };
}
