/** @file What rides along with every sampler's loop, and the one way to ask the net. */
import { OptionError } from "../../core/errors.ts";
import type { RealTensor } from "../../tensor/tensor.ts";
import type { NoisePredictor, Prediction } from "../predictor.ts";

/** Standard normal noise of x's dims for a step of the loop, counted from 0. Asked for only where it is used. */
export type StepNoise = (step: number) => RealTensor;

/** Noise, cancellation and what the loop tells about itself. */
export interface SampleRun {
  /** Needed by every sampler that is not deterministic. */
  readonly noise?: StepNoise | undefined;
  /** Looked at before every step. */
  readonly signal?: AbortSignal | undefined;
  /** Called after every step with the number of steps done and their total. */
  readonly progress?: ((done: number, total: number) => void) | undefined;
  /** Called after every step with x as it then is; not to be modified. */
  readonly onStep?: ((step: number, x: RealTensor) => void) | undefined;
}

/** Asks the net about a whole batch at one timestep. */
export function predictAt(
  predict: NoisePredictor,
  x: RealTensor,
  timestep: number,
  signal?: AbortSignal,
): Promise<Prediction> {
  return predict(x, new Float64Array(x.dims[0] ?? 0).fill(timestep), signal);
}

/** Takes the steps one after the other: obeys the signal before each, reports after each. */
export async function runSteps<Step>(
  x: RealTensor,
  steps: readonly Step[],
  { signal, progress, onStep }: SampleRun,
  take: (x: RealTensor, step: Step, k: number) => Promise<RealTensor>,
): Promise<RealTensor> {
  let current = x;
  for (const [k, step] of steps.entries()) {
    signal?.throwIfAborted();
    current = await take(current, step, k);
    onStep?.(k, current);
    progress?.(k + 1, steps.length);
  }
  return current;
}

/** The noise of a step that needs some. @throws OptionError when there is none. */
export function needNoise<T>(who: string, noise: T | undefined): T {
  if (noise === undefined) throw new OptionError(`${who}: expected noise because this step is random, got none.`);
  return noise;
}
