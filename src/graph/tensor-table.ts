/** @file Gives equal tensors one number, without hashing weights of hundreds of megabytes. */
import type { Tensor } from "../tensor/tensor.ts";
import { fingerprint, sameBytes } from "./kernels.ts";

/** Numbers tensors: the same number for the same type, dims and bytes. */
export class TensorTable {
  readonly #buckets = new Map<string, { readonly id: number; readonly bytes: Uint8Array }[]>();
  #size = 0;

  /** The number of a tensor: that of an equal one seen before, or the next. Seen tensors must not be changed. */
  idOf({ dtype, dims, data }: Tensor): number {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const key = `${dtype} ${dims.join()} ${fingerprint(bytes)}`;
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      bucket = [];
      this.#buckets.set(key, bucket);
    }
    const known = bucket.find((entry) => sameBytes(entry.bytes, bytes));
    if (known !== undefined) return known.id;
    this.#size += 1;
    bucket.push({ id: this.#size, bytes });
    return this.#size;
  }
}
