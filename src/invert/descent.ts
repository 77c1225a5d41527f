/**
 * @file Projected descent of a perturbation: its gradient at unit length, momentum, and back into a ball.
 *
 * | here | SmoothInv | meaning                      |
 * |------|-----------|------------------------------|
 * | eps  | epsilon   | most L2 norm of the trigger  |
 * | rate | alpha     | length of a step at first    |
 * @source Sun and Kolter 2023, "Single Image Backdoor Inversion via Robust Smoothed Classifiers", algorithm 1; locuslab/smoothinv, smoothinv.py
 */
import { z } from "zod";
import { normOf, scaleInto } from "../training/kernels.ts";
import { sgd } from "../training/optimisers.ts";
import { stepRate } from "../training/schedules.ts";
import { keepInRangeInto } from "./kernels.ts";

/** Options of searches for one change that moves several images. */
export const universalOptions = {
  images: z
    .int()
    .min(1)
    .max(10_000)
    .default(16)
    .describe("How many of the given images it must move: the first that do not show the class."),
  steps: z
    .int()
    .min(1)
    .max(100_000)
    .default(40)
    .describe("Steps of the descent; the rate halves after three quarters."),
  rate: z.number().gt(0).max(10).default(0.05).describe("Length of the first steps, as a share of the bound."),
  momentum: z.number().min(0).lt(1).default(0.9).describe("Share of the last step that the next one keeps."),
};

/** How a perturbation moves. */
export interface DescentSettings {
  readonly eps: number;
  readonly rate: number;
  readonly momentum: number;
  readonly steps: number;
}

/** A perturbation on its way. */
export interface Descent {
  /** [C * H * W], zeros at first; changed in place. */
  readonly change: Float32Array;
  /**
   * Moves against a gradient. @param radius of the ball, with which the rate grows and falls; `eps` when left out. @param image [C * H * W], where the
   * perturbation belongs to one image: the sum is then kept in [0, 1].
   */
  step(
    gradient: Float32Array,
    at: { readonly step: number; readonly image?: Float32Array; readonly radius?: number },
  ): void;
}

/** The rate is halved after three quarters of the steps: 300 of 400 in the authors' code. */
const rates = stepRate({ milestones: [0.75], factor: 0.5 });

/** Starts a descent at zero. A gradient of zero moves nothing by itself, but momentum goes on. */
export function startDescent(size: number, { eps, rate, momentum, steps }: DescentSettings): Descent {
  const change = new Float32Array(size);
  const optimiser = sgd({ momentum });
  const memory = Array.from({ length: optimiser.memories }, () => new Float32Array(size));
  return {
    change,
    step(gradient, { step, image, radius = eps }) {
      const direction = gradient.slice();
      const length = normOf(direction);
      scaleInto(direction, length === 0 ? 0 : 1 / length);
      optimiser.update(change, direction, memory, { rate: rate * rates(step, steps) * (radius / eps), step });
      if (image !== undefined) keepInRangeInto(change, image);
      intoBallInto(change, radius);
    },
  };
}

/** Scales a vector back onto an L2 ball where it has left it. The 1e-7 is PyTorch's `renorm`. */
export function intoBallInto(change: Float32Array, radius: number): void {
  const length = normOf(change);
  if (length > radius) scaleInto(change, radius / (length + 1e-7));
}
