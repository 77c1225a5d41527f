/** @file How networks take their weights: by name and shape, checked, as float32, with a list of what nobody took. */

import type { ByteSource } from "../../core/byte-source.ts";
import { FormatError } from "../../core/errors.ts";
import { nearestName } from "../../core/names.ts";
import { quote } from "../../data/quote.ts";
import { floatsFromBfloat16, floatsFromFloat16 } from "../../tensor/half.ts";
import { formatDims, sameDims } from "../../tensor/shape.ts";
import type { Float32Tensor, Tensor } from "../../tensor/tensor.ts";
import { firstNonFinite } from "./kernels.ts";
import { readCheckpoint } from "./read-checkpoint.ts";
import type { StateDict } from "./state-dict.ts";

/** Comparing names takes time, and a stranger's file may have a million. */
const GUESS_AMONG = 5000;

/** The tensors of one checkpoint, and a memory of which were taken. */
export interface Weights {
  readonly state: StateDict;
  /** What the file is called in messages, such as `checkpoint "model.pt"`. */
  readonly subject: string;
  has(name: string): boolean;
  /** Dims of a tensor as it is stored, `undefined` when there is none. */
  dimsOf(name: string): readonly number[] | undefined;
  /**
   * A tensor widened to float32.
   * @throws FormatError naming the tensor and both shapes when it is missing or has others, and naming it when it
   * holds NaN or an infinity.
   */
  take(name: string, dims: readonly number[]): Float32Tensor;
  /** Names that were never taken, in the order of the file. */
  unused(): string[];
}

/** Reads a checkpoint (see `readCheckpoint`) and watches what is taken from it. */
export async function openWeights(name: string, source: ByteSource, signal?: AbortSignal): Promise<Weights> {
  return weightsOf(await readCheckpoint(name, source, signal), `checkpoint "${name}"`);
}

/** Watches what is taken from a state dict. @param subject what to call it in messages. */
export function weightsOf(state: StateDict, subject: string): Weights {
  const taken = new Set<string>();
  return {
    state,
    subject,
    has: (name) => state.has(name),
    dimsOf: (name) => state.get(name)?.dims,
    take: (name, dims) => {
      const value = takeTensor(state, name, dims, { subject });
      taken.add(name);
      return value;
    },
    unused: () => [...state.keys()].filter((name) => !taken.has(name)),
  };
}

/**
 * One tensor of a state dict, widened to float32.
 * @throws FormatError naming the tensor and both shapes when it is missing or has others, and naming it when it holds
 * NaN or an infinity.
 */
export function takeTensor(
  state: StateDict,
  name: string,
  dims: readonly number[],
  { subject = "checkpoint" }: { readonly subject?: string } = {},
): Float32Tensor {
  const stored = state.get(name);
  if (stored === undefined) {
    const guess = nearestName(name, [...state.keys()].slice(0, GUESS_AMONG));
    const hint = guess === undefined ? "" : `; the nearest of its names is ${quote(guess)}`;
    throw new FormatError(
      `${subject}: expected tensor ${quote(name)} of ${formatDims(dims)}, got none among ${state.size}${hint}.`,
    );
  }
  if (!sameDims(stored.dims, dims)) {
    throw new FormatError(
      `${subject}: expected tensor ${quote(name)} of ${formatDims(dims)}, got ${formatDims(stored.dims)}.`,
    );
  }
  const value = toFloat32(stored);
  const bad = firstNonFinite(value.data);
  if (bad !== -1) {
    throw new FormatError(
      `${subject}: expected finite numbers in tensor ${quote(name)}, got ${value.data[bad]} at index ${bad}.`,
    );
  }
  return value;
}

/** The same numbers as float32: half types exactly, float64 and integers rounded; float32 tensors as they are. */
export function toFloat32(t: Tensor): Float32Tensor {
  const { dims } = t;
  switch (t.dtype) {
    case "float32":
      return t;
    case "float16":
      return { dtype: "float32", dims, data: floatsFromFloat16(t.data) };
    case "bfloat16":
      return { dtype: "float32", dims, data: floatsFromBfloat16(t.data) };
    case "int64":
    case "uint64":
      return { dtype: "float32", dims, data: Float32Array.from(t.data, Number) };
    default:
      return { dtype: "float32", dims, data: Float32Array.from(t.data) };
  }
}
