/** @file The training loop: batch, graph, optimiser, and again. */
import { RuntimeFailure } from "../core/errors.ts";
import type { Feeds } from "../runtime/runtime.ts";
import { averageInto, normOf, scaleInto } from "./kernels.ts";
import type { Optimiser } from "./optimisers.ts";
import type { RateSchedule } from "./schedules.ts";
import type { TrainingState } from "./state.ts";
import type { StepResult, TrainingStep } from "./step.ts";

/**
 * The batch of a step: a function of the step's number, so that a training can stop and go on. Batches that depend on how
 * the training went read the losses of steps up to two before: batches are made one step ahead, and when a training goes
 * on from its checkpoint one loss more is known.
 * @param state as it is when the batch is asked for; changed in place later.
 */
export type BatchSource<Batch> = (step: number, state: Readonly<TrainingState>) => Promise<Batch>;

/** Batches that depend on their step alone: they can be made anywhere, such as in another thread. */
export type StepBatches<Batch> = (step: number) => Promise<Batch>;

/** How weights change. */
export interface TrainingPlan {
  /** Steps in all. */
  readonly steps: number;
  readonly optimiser: Optimiser;
  /** Highest learning rate. */
  readonly rate: number;
  readonly schedule: RateSchedule;
  /** Longest gradient (Euclidean norm over all weights); longer ones are scaled down. */
  readonly clip?: number | undefined;
  /** Decay of the moving average of the weights, such as .9995. */
  readonly averaging?: number | undefined;
}

/** What is told after every step. */
export interface StepReport extends StepResult {
  /** Steps made, this one included. */
  readonly step: number;
  readonly rate: number;
  /** Norm of the gradient before clipping. */
  readonly gradientNorm: number;
}

/** What a training is run with. */
export interface LoopSettings {
  readonly plan: TrainingPlan;
  /**
   * Changed in place, a whole step at a time: after an error it is the state before the step that failed, unless that
   * step left weights that are not finite.
   */
  readonly state: TrainingState;
  readonly batches: BatchSource<Feeds>;
  readonly signal?: AbortSignal | undefined;
  /** Called after every step, with the state that it left; the training waits for it. */
  readonly onStep?: ((report: StepReport, state: TrainingState) => void | Promise<void>) | undefined;
}

/**
 * Trains from `state.step` to `plan.steps`. The batch of the next step is assembled while the graph runs.
 * @throws RuntimeFailure when loss, gradient or weights stop being finite, naming the step; the signal's reason when it aborts.
 */
export async function train(step: TrainingStep, settings: LoopSettings): Promise<void> {
  const { plan, state, batches, signal, onStep } = settings;
  const gradient = new Float32Array(state.weights.length);
  const statistics = new Float32Array(state.statistics.length);
  let next = state.step < plan.steps ? ahead(batches(state.step, state)) : undefined;
  while (next !== undefined) {
    signal?.throwIfAborted();
    const feeds = await next;
    const number = state.step;
    next = number + 1 < plan.steps ? ahead(batches(number + 1, state)) : undefined;
    const result = await step.run(state, feeds, { gradient, statistics });
    const gradientNorm = normOf(gradient);
    const rate = plan.rate * plan.schedule(number, plan.steps);
    requireFinite("a loss of", result.loss, { number, rate });
    requireFinite("a gradient of norm", gradientNorm, { number, rate });
    if (plan.clip !== undefined && gradientNorm > plan.clip) scaleInto(gradient, plan.clip / (gradientNorm + 1e-6));
    plan.optimiser.update(state.weights, gradient, state.memory, { rate, step: number });
    requireFinite("weights of norm", normOf(state.weights), { number, rate });
    state.statistics.set(statistics);
    if (plan.averaging !== undefined) averageInto(state.average, state.weights, averagingAt(plan.averaging, number));
    state.losses.push(result.loss);
    state.step = number + 1;
    await onStep?.({ ...result, step: state.step, rate, gradientNorm }, state);
  }
}

/** A promise whose failure is heard when it is awaited, not before. */
function ahead<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/**
 * Young averages follow quickly, so that they forget the first weights.
 * @source diffusers' EMAModel, `get_decay`: its first average is the weights after the first step.
 */
function averagingAt(decay: number, number: number): number {
  return number === 0 ? 0 : Math.min(decay, (1 + number) / (10 + number));
}

function requireFinite(what: string, value: number, { number, rate }: { number: number; rate: number }): void {
  if (Number.isFinite(value)) return;
  throw new RuntimeFailure(
    `training: expected finite numbers, got ${what} ${value} at step ${number + 1} (learning rate ${rate.toPrecision(3)}). Do lower the learning rate or clip the gradient; what was saved before is kept.`,
  );
}
