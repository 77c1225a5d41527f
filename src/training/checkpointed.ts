/** @file A training that survives: it goes on from its checkpoint, and leaves one wherever it stops. */
import { messageOf } from "../core/errors.ts";
import { type LoopSettings, train } from "./loop.ts";
import { freshState, isSound, readState, type TrainingState, writeState } from "./state.ts";
import type { TrainingStep } from "./step.ts";

/** Where the state of a training is kept; writing replaces the last one whole. */
export interface CheckpointStore {
  /** The last state, `undefined` when there is none. */
  load(): Promise<Uint8Array | undefined>;
  save(bytes: Uint8Array): Promise<void>;
}

/** How often, and as what, states are kept. */
export interface Checkpoints {
  readonly store: CheckpointStore;
  /** What determines the training: a checkpoint with another key is refused. */
  readonly key: string;
  /** Steps between two checkpoints. */
  readonly every: number;
}

/** What {@link trainWithCheckpoints} is told. */
export interface CheckpointedSettings extends Omit<LoopSettings, "state"> {
  readonly checkpoints?: Checkpoints | undefined;
}

/**
 * Trains to the end of the plan, from the last checkpoint where there is one. On any failure (a loss that is not finite,
 * an abort) the state before the step that failed is saved first; a disk that is full is not asked a second time.
 * @returns the state after the last step.
 * @throws what `train` throws, FormatError for a checkpoint of another training, and what the store throws.
 */
export async function trainWithCheckpoints(step: TrainingStep, settings: CheckpointedSettings): Promise<TrainingState> {
  const { checkpoints, plan, onStep, signal } = settings;
  const fresh = freshState(step, plan.optimiser, plan.averaging !== undefined);
  if (checkpoints === undefined) {
    await train(step, { ...settings, state: fresh });
    return fresh;
  }
  const { store, key, every } = checkpoints;
  const stored = await store.load();
  const state = stored === undefined ? fresh : readState(stored, fresh, key);
  let tried = state.step;
  const save = async (): Promise<void> => {
    tried = state.step;
    await store.save(writeState(state, key));
  };
  try {
    await train(step, {
      ...settings,
      state,
      onStep: async (report, now) => {
        await onStep?.(report, now);
        if (state.step % every === 0 && state.step < plan.steps) await save();
      },
    });
  } catch (error) {
    if (state.step > tried && isSound(state)) {
      await save().catch((second) => Promise.reject(bothFailed(error, second, signal)));
    }
    throw error;
  }
  if (state.step > tried) await save();
  return state;
}

/** The first failure is why the training stopped, the second why its last steps are lost: both must be said. */
function bothFailed(first: unknown, second: unknown, signal: AbortSignal | undefined): unknown {
  // Who stops a training knows why it stopped.
  if (signal?.aborted === true || !(first instanceof Error)) return second;
  first.message += ` The checkpoint could not be written either: ${messageOf(second)}`;
  return first;
}
