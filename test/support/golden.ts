/** @file Reads the recorded reference values of test/golden. */
import { readFileSync } from "node:fs";
import { readSafetensors, type SafetensorsFile } from "../../src/nn/checkpoints/safetensors.ts";
import { floatsFromBfloat16, floatsFromFloat16 } from "../../src/tensor/half.ts";
import { type Tensor, toNumbers } from "../../src/tensor/tensor.ts";

const root = new URL("../golden/", import.meta.url);

/** A safetensors file below test/golden, with its tensors as arrays by name. */
export interface GoldenFile extends SafetensorsFile {
  /** The tensor itself, as stored. */
  tensor(name: string): Tensor;
  /** Its values as float32; exact for F32, F16, BF16 and 8-bit types. */
  float32(name: string): Float32Array;
  /** Its values as float64; exact for every stored float type. */
  float64(name: string): Float64Array;
  /** Its dims. */
  dims(name: string): readonly number[];
}

/** Bytes of any file below test/golden, such as `unet-openai/tiny.pt`. */
export function readGoldenBytes(path: string): Uint8Array {
  return readFileSync(new URL(path, root));
}

/** JSON of a file below test/golden. */
export function readGoldenJson<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(path, root), "utf8")) as T;
}

/** Reads a safetensors file below test/golden, such as `metrics/ssim.safetensors`. */
export function readGolden(path: string): GoldenFile {
  const file = readSafetensors(readGoldenBytes(path), path);
  const tensor = (name: string): Tensor => {
    const found = file.tensors.get(name);
    if (found === undefined) throw new Error(`${path} has no "${name}"; it has ${[...file.tensors.keys()].join(", ")}`);
    return found;
  };
  return {
    ...file,
    tensor,
    float32: (name) => Float32Array.from(values(tensor(name))),
    float64: (name) => Float64Array.from(values(tensor(name))),
    dims: (name) => tensor(name).dims,
  };
}

function values(t: Tensor): ArrayLike<number> {
  if (t.dtype === "float16") return floatsFromFloat16(t.data);
  if (t.dtype === "bfloat16") return floatsFromBfloat16(t.data);
  if (t.data instanceof BigInt64Array || t.data instanceof BigUint64Array) return toNumbers(t);
  return t.data;
}
