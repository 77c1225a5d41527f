/** @file Inner loops over weights. */

/** How a strided view lies in its storage; offset and strides count elements of `size` bytes. */
export interface Layout {
  readonly offset: number;
  readonly dims: readonly number[];
  readonly strides: readonly number[];
  readonly size: number;
}

/** Copies a strided view element by element into row-major order; `out` holds exactly the view's elements. */
export function stridedCopyInto(out: Uint8Array, source: Uint8Array, { offset, dims, strides, size }: Layout): void {
  const index = new Uint32Array(dims.length);
  let from = offset;
  for (let to = 0; to < out.length; to += size) {
    for (let byte = 0; byte < size; byte++) out[to + byte] = source[from * size + byte]!;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      index[axis]! += 1;
      if (index[axis]! < dims[axis]!) break;
      from -= strides[axis]! * dims[axis]!;
      index[axis] = 0;
    }
  }
}

/** Index of the first NaN or infinity, -1 when there is none. */
export function firstNonFinite(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i]!)) return i;
  return -1;
}
