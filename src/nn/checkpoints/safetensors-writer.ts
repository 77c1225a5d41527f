/** @file Writes safetensors files. */
import type { Tensor } from "../../tensor/tensor.ts";
import { codeOf } from "./safetensors.ts";

/**
 * Writes tensors as a safetensors file: wide element types first, so that all data are aligned, then by name. Equal
 * tensors and metadata give equal bytes.
 * @param metadata free text for the header's `__metadata__`.
 * @source https://github.com/huggingface/safetensors, "Format".
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array {
  const sorted = [...tensors].sort(
    ([a, { data: x }], [b, { data: y }]) => y.BYTES_PER_ELEMENT - x.BYTES_PER_ELEMENT || (a < b ? -1 : 1),
  );
  const entries: [string, unknown][] = metadata.size === 0 ? [] : [["__metadata__", Object.fromEntries(metadata)]];
  let end = 0;
  for (const [name, { dtype, dims, data }] of sorted) {
    entries.push([name, { dtype: codeOf[dtype], shape: dims, data_offsets: [end, end + data.byteLength] }]);
    end += data.byteLength;
  }
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const start = 8 * Math.ceil((8 + header.length) / 8);
  const out = new Uint8Array(start + end).fill(0x20, 8, start);
  new DataView(out.buffer).setBigUint64(0, BigInt(start - 8), true);
  out.set(header, 8);
  let at = start;
  for (const [, { data }] of sorted) {
    out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return out;
}
