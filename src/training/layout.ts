/** @file Many tensors as one flat array, so that optimisers are loops over numbers and know nothing of layers. */
import { FormatError } from "../core/errors.ts";
import { elementCount, formatDims, sameDims } from "../tensor/shape.ts";
import { type Float32Tensor, float32, type Tensor } from "../tensor/tensor.ts";

/** Where one tensor lies in the flat array. */
export interface Slot {
  readonly name: string;
  readonly dims: readonly number[];
  readonly from: number;
  readonly to: number;
}

/** Where every tensor lies, one behind the other. */
export interface Layout {
  readonly slots: readonly Slot[];
  /** Numbers in all. */
  readonly size: number;
}

/** Lays tensors out in the order in which they are given. */
export function layoutOf(entries: Iterable<readonly [name: string, value: Pick<Tensor, "dims">]>): Layout {
  const slots: Slot[] = [];
  let end = 0;
  for (const [name, { dims }] of entries) {
    const from = end;
    end += elementCount(dims);
    slots.push({ name, dims, from, to: end });
  }
  return { slots, size: end };
}

/** The tensors as views of a flat array: what is written there is seen here. */
export function viewsOf({ slots }: Layout, flat: Float32Array): Record<string, Float32Tensor> {
  return Object.fromEntries(slots.map(({ name, dims, from, to }) => [name, float32(dims, flat.subarray(from, to))]));
}

/**
 * Copies tensors into their places.
 * @param read the tensor of a slot. @throws FormatError when one is missing, has other dims or is not float32.
 */
export function gatherInto(flat: Float32Array, { slots }: Layout, read: (name: string) => Tensor | undefined): void {
  for (const { name, dims, from } of slots) {
    const value = read(name);
    if (value?.dtype !== "float32" || !sameDims(value.dims, dims)) {
      const got = value === undefined ? "none" : `${value.dtype} ${formatDims(value.dims)}`;
      throw new FormatError(`training: expected "${name}" as float32 ${formatDims(dims)}, got ${got}.`);
    }
    flat.set(value.data, from);
  }
}
