/**
 * @file The search of adversarial neuron pruning: which channels can be weakened without harm to clean images, judged
 * while all of them are disturbed as badly as possible. Channels that a backdoor lives in lose their mask first.
 *
 * | here | paper |
 * |---|---|
 * | mask, of each channel's scale | m |
 * | noise, of scales and of shifts | delta, xi |
 * | reach | epsilon |
 * | share | alpha |
 *
 * @source Wu and Wang 2021, "Adversarial Neuron Pruning Purifies Backdoored Deep Models", eq. 5-7, algorithm 1.
 * https://arxiv.org/abs/2110.14430
 */
import { uniforms } from "../../core/noise.ts";
import type { Feeds } from "../../runtime/runtime.ts";
import { sgd } from "../../training/optimisers.ts";
import { ascendInto, clampInto, mixInto, sumInto } from "./kernels.ts";
import type { MaskStep } from "./open-mask-step.ts";

/** Numbers of the search. */
export interface MaskSearch {
  /** How far scales and shifts are disturbed, in units of themselves. */
  readonly reach: number;
  /** Steps of the disturbance; each is `reach / steps` wide. */
  readonly steps: number;
  /** Whether the disturbance stays within the reach; from its random start it may else come to twice that. */
  readonly project: boolean;
  /** Weight of the undisturbed loss. */
  readonly share: number;
  readonly rate: number;
  readonly momentum: number;
}

/** The search between two iterations; changed in place. */
export interface MaskState {
  /** One number for each multiplier: masks of scales, ones for shifts. */
  readonly masks: Float32Array;
  readonly velocity: Float32Array;
  /** Running statistics of the network's normalisations, which every run moves. */
  readonly statistics: Float32Array;
  iteration: number;
}

/** What one iteration has found. */
export interface MaskIteration {
  /** `share * clean + (1 - share) * disturbed` */
  readonly loss: number;
  /** The disturbance after its ascent. */
  readonly noise: Float32Array;
  /** Of the loss by the masks; zeros for shifts. */
  readonly gradient: Float32Array;
}

/** A search that has not begun: every mask is one. */
export function freshMasks(step: MaskStep): MaskState {
  const { statistics } = step.initial();
  const { size } = step.weights;
  return { masks: new Float32Array(size).fill(1), velocity: new Float32Array(size), statistics, iteration: 0 };
}

/** The disturbance from which an iteration begins: uniform within the reach. */
export function initialNoise(step: MaskStep, { reach, seed, iteration }: NoiseDraw): Float32Array {
  return Float32Array.from(uniforms(seed, "anp", iteration, step.weights.size), (u) => (2 * u - 1) * reach);
}

/** Which disturbance is drawn. */
interface NoiseDraw {
  readonly reach: number;
  readonly seed: number;
  readonly iteration: number;
}

/**
 * One iteration: the disturbance climbs the loss by the signs of its gradient, then the masks go down.
 * @param feeds a batch of clean images. @param start the disturbance to begin from; not modified.
 */
export async function improveMasks(
  step: MaskStep,
  state: MaskState,
  { search, feeds, start }: { readonly search: MaskSearch; readonly feeds: Feeds; readonly start: Float32Array },
): Promise<MaskIteration> {
  const { reach, steps, project, share, rate, momentum } = search;
  const { masks, statistics } = state;
  const noise = start.slice();
  const multipliers = new Float32Array(masks.length);
  const slope = new Float32Array(masks.length);
  const moved = new Float32Array(statistics.length);
  const run = async (at: Float32Array, gradient: Float32Array): Promise<number> => {
    const { loss } = await step.run({ weights: at, statistics }, feeds, { gradient, statistics: moved });
    statistics.set(moved);
    return loss;
  };
  for (let i = 0; i < steps; i++) {
    sumInto(multipliers, masks, noise);
    await run(multipliers, slope);
    ascendInto(noise, slope, { rate: reach / steps, most: project ? reach : Number.POSITIVE_INFINITY });
  }
  sumInto(multipliers, masks, noise);
  const disturbed = await run(multipliers, slope);
  const gradient = new Float32Array(masks.length);
  const clean = await run(masks, gradient);
  mixInto(gradient, slope, { share, counts: scalesOf(step) });
  sgd({ momentum }).update(masks, gradient, [state.velocity], { rate, step: state.iteration });
  clampInto(masks);
  state.iteration += 1;
  return { loss: share * clean + (1 - share) * disturbed, noise, gradient };
}

/** Ones for multipliers of scales: they alone have masks. */
function scalesOf({ weights, places }: MaskStep): Uint8Array {
  const counts = new Uint8Array(weights.size);
  for (const { scale } of places) counts.fill(1, scale.from, scale.to);
  return counts;
}
