/**
 * @file Weights that a network of any width can be tested with and that no file has to hold: a hash of name and index.
 * `reference/architectures/hashed.py` has the same function, bit for bit.
 */
import type { Weights } from "../../src/nn/checkpoints/weights.ts";
import { type Float32Tensor, float32 } from "../../src/tensor/tensor.ts";

/**
 * Values in [-1, 1) scaled as initial weights would be: kernels and matrices by sqrt(6 / fan in), scales and variances
 * 1 + u / 2, the rest u / 4.
 */
export function hashedWeights(): Weights {
  const state = new Map<string, Float32Tensor>();
  return {
    state,
    subject: "hashed weights",
    has: () => true,
    dimsOf: (name) => state.get(name)?.dims,
    take: (name, dims) => {
      const taken = state.get(name) ?? float32(dims, hashed(name, dims));
      state.set(name, taken);
      return taken;
    },
    unused: () => [],
  };
}

function hashed(name: string, dims: readonly number[]): Float32Array {
  const size = dims.reduce((product, dim) => product * dim, 1);
  const isScale = dims.length === 1 && /\.(weight|running_var)$/.test(name);
  const [factor, shift] = dims.length > 1 ? [Math.sqrt((6 * dims[0]!) / size), 0] : isScale ? [0.5, 1] : [0.25, 0];
  let seed = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 0x01000193);
  return Float32Array.from({ length: size }, (_, i) => {
    let h = (seed + Math.imul(i, 0x9e3779b1)) >>> 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    const u = ((h ^ (h >>> 16)) >>> 0) / 2 ** 31 - 1;
    return u * factor + shift;
  });
}
