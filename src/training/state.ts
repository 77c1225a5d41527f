/** @file Everything that changes in a training, as one value that can be saved and gone on from. */
import { FormatError } from "../core/errors.ts";
import { readSafetensors } from "../nn/checkpoints/safetensors.ts";
import { writeSafetensors } from "../nn/checkpoints/safetensors-writer.ts";
import { float32, type Tensor } from "../tensor/tensor.ts";
import { normOf } from "./kernels.ts";
import type { Optimiser } from "./optimisers.ts";
import type { TrainingStep } from "./step.ts";

/** A training between two steps. Its arrays are changed in place. */
export interface TrainingState {
  /** Steps made. */
  step: number;
  readonly weights: Float32Array;
  /** Running statistics of normalisations. */
  readonly statistics: Float32Array;
  /** What the optimiser remembers. */
  readonly memory: readonly Float32Array[];
  /** Exponential moving average of the weights; empty where none is kept. */
  readonly average: Float32Array;
  /** The loss of every step so far. */
  readonly losses: number[];
}

/** A training that has not begun. */
export function freshState(
  step: Pick<TrainingStep, "initial">,
  optimiser: Optimiser,
  hasAverage: boolean,
): TrainingState {
  const { weights, statistics } = step.initial();
  return {
    step: 0,
    weights,
    statistics,
    memory: Array.from({ length: optimiser.memories }, () => new Float32Array(weights.length)),
    average: hasAverage ? weights.slice() : new Float32Array(0),
    losses: [],
  };
}

/** Whether a state can be gone on from: its weights are finite. */
export function isSound({ weights }: TrainingState): boolean {
  return Number.isFinite(normOf(weights));
}

const SCHEMA = "untrigger/checkpoint@1";

/**
 * A training as one safetensors file. Equal states give equal bytes.
 * @param key what determines the training; a checkpoint of another training is refused.
 */
export function writeState(state: TrainingState, key: string): Uint8Array {
  const vector = (values: ArrayLike<number>): Tensor => float32([values.length], Float32Array.from(values));
  const tensors = new Map<string, Tensor>([
    ["weights", vector(state.weights)],
    ["statistics", vector(state.statistics)],
    ["average", vector(state.average)],
    ["losses", vector(state.losses)],
    ...state.memory.map((values, i): [string, Tensor] => [`memory.${i}`, vector(values)]),
  ]);
  return writeSafetensors(
    tensors,
    new Map([
      ["schema", SCHEMA],
      ["step", String(state.step)],
      ["key", key],
    ]),
  );
}

/**
 * Reads what {@link writeState} wrote.
 * @param fresh a state of this training before its first step: the file must fit it.
 * @throws FormatError when the bytes are no checkpoint, or one of another training.
 */
export function readState(bytes: Uint8Array, fresh: TrainingState, key: string): TrainingState {
  const { tensors, metadata } = readSafetensors(bytes, "checkpoint");
  const schema = metadata.get("schema");
  if (schema !== SCHEMA) throw new FormatError(`checkpoint: expected schema ${SCHEMA}, got ${schema ?? "none"}.`);
  if (metadata.get("key") !== key) {
    throw new FormatError(
      "checkpoint: expected one of a training with the same network, data, options and seed, got another's. Do choose another output folder, or remove the old checkpoint.",
    );
  }
  const steps = metadata.get("step") || "none";
  const step = Number(steps);
  if (!Number.isSafeInteger(step) || step < 0) {
    throw new FormatError(`checkpoint: expected a number of steps, got ${steps}.`);
  }
  const take = (name: string, length: number): Float32Array => {
    const value = tensors.get(name);
    if (value?.dtype === "float32" && value.data.length === length) return value.data.slice();
    if (value === undefined || value.dtype === "float32") {
      throw new FormatError(
        `checkpoint: expected ${length} numbers as "${name}", got ${value?.data.length ?? "none"}.`,
      );
    }
    throw new FormatError(
      `checkpoint: expected ${length} float32 numbers as "${name}", got ${value.data.length} of ${value.dtype}.`,
    );
  };
  const state = {
    step,
    weights: take("weights", fresh.weights.length),
    statistics: take("statistics", fresh.statistics.length),
    memory: fresh.memory.map((values, i) => take(`memory.${i}`, values.length)),
    average: take("average", fresh.average.length),
    losses: [...take("losses", step)],
  };
  if (!isSound(state)) throw new FormatError("checkpoint: expected finite weights, got some that are not.");
  return state;
}
