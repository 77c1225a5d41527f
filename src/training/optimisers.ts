/** @file Optimisers as functions of flat arrays. What they remember is given to them: nothing is hidden, all can be saved. */
import { type AdamNumbers, adamInto, sgdInto } from "./kernels.ts";

/** What an optimiser is told about one step. */
export interface OptimiserStep {
  /** Learning rate of this step. */
  readonly rate: number;
  /** Steps made before this one. */
  readonly step: number;
}

/** An optimiser: how much it remembers, and how it changes weights. */
export interface Optimiser {
  readonly name: string;
  /** Arrays as long as the weights that it needs, all zeros at first. */
  readonly memories: number;
  /** Changes `weights` and `memory` in place. */
  update(weights: Float32Array, gradient: Float32Array, memory: readonly Float32Array[], at: OptimiserStep): void;
}

/** Settings of {@link sgd}. */
export interface SgdSettings {
  /** 0 when left out. */
  readonly momentum?: number | undefined;
  /** False when left out. */
  readonly nesterov?: boolean | undefined;
  /** 0 when left out. */
  readonly weightDecay?: number | undefined;
}

/** Stochastic gradient descent. @source Sutskever et al. 2013, "On the importance of initialization and momentum", in PyTorch's form. */
export function sgd({ momentum = 0, nesterov = false, weightDecay = 0 }: SgdSettings = {}): Optimiser {
  return {
    name: "sgd",
    memories: momentum === 0 ? 0 : 1,
    update: (weights, gradient, [velocity = gradient], { rate, step }) =>
      sgdInto(weights, gradient, velocity, { rate, momentum, nesterov, weightDecay, isFirst: step === 0 }),
  };
}

/** Settings of {@link adam} and {@link adamW}. */
export interface AdamSettings {
  /** .9 when left out. */
  readonly beta1?: number | undefined;
  /** .999 when left out. */
  readonly beta2?: number | undefined;
  /** 1e-8 when left out. */
  readonly eps?: number | undefined;
  /** 0 for Adam and .01 for AdamW when left out. */
  readonly weightDecay?: number | undefined;
}

/** Adam; decay is added to the gradient. @source Kingma and Ba 2015, "Adam", algorithm 1. https://arxiv.org/abs/1412.6980 */
export function adam({ weightDecay = 0, ...settings }: AdamSettings = {}): Optimiser {
  return adamWith("adam", settings, () => ({ weightDecay, shrink: 0 }));
}

/** Adam whose decay shrinks the weights themselves. @source Loshchilov and Hutter 2019, algorithm 2. https://arxiv.org/abs/1711.05101 */
export function adamW({ weightDecay = 0.01, ...settings }: AdamSettings = {}): Optimiser {
  return adamWith("adamw", settings, (rate) => ({ weightDecay: 0, shrink: rate * weightDecay }));
}

/** Adam with a decay of its own. */
function adamWith(
  name: string,
  { beta1 = 0.9, beta2 = 0.999, eps = 1e-8 }: Omit<AdamSettings, "weightDecay">,
  decayAt: (rate: number) => Pick<AdamNumbers, "weightDecay" | "shrink">,
): Optimiser {
  return {
    name,
    memories: 2,
    update: (weights, gradient, [mean = gradient, square = gradient], { rate, step }) => {
      const moments = [mean, square] as const;
      adamInto(weights, gradient, moments, { rate, beta1, beta2, eps, ...decayAt(rate), count: step + 1 });
    },
  };
}
