/** @file Initial weights of a network that is to be trained: drawn when a layer asks for them, by name. */
import { uniforms } from "../core/noise.ts";
import { elementCount } from "../tensor/shape.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import type { StateDict } from "./checkpoints/state-dict.ts";
import type { Weights } from "./checkpoints/weights.ts";

/**
 * Weights that do not exist before they are taken. Each tensor is a function of the seed and its name, so a network
 * starts the same whatever order its layers are written in:
 * - two axes or more (kernels, matrices): uniform in ±1 / sqrt(fan in), as PyTorch's convolutions and linear layers;
 * - a `bias` beside such a weight: the same range;
 * - other vectors (norms): scales and variances 1, shifts and means 0.
 * @param seed integer 0..2^53-1. @throws OptionError when it is not.
 * @source He et al. 2015, "Delving Deep into Rectifiers", with a = sqrt(5) as PyTorch's `reset_parameters` has it.
 */
export function freshWeights(seed: number): Weights {
  const state = new Map<string, Float32Tensor>();
  const fansIn = new Map<string, number>();
  const draw = (name: string, dims: readonly number[]): Float32Tensor => {
    const size = elementCount(dims);
    const stem = name.slice(0, name.lastIndexOf(".") + 1);
    if (dims.length > 1) fansIn.set(stem, size / (dims[0] ?? 1));
    const fanIn = fansIn.get(stem);
    const kind = name.slice(stem.length);
    if (dims.length > 1 || (kind === "bias" && fanIn !== undefined)) {
      const bound = 1 / Math.sqrt(fanIn ?? 1);
      return float32(
        dims,
        Float32Array.from(uniforms(seed, name, 0, size), (u) => (2 * u - 1) * bound),
      );
    }
    return float32(dims, new Float32Array(size).fill(kind === "weight" || kind === "running_var" ? 1 : 0));
  };
  return {
    state: state satisfies StateDict,
    subject: "fresh weights",
    has: (name) => state.has(name),
    dimsOf: (name) => state.get(name)?.dims,
    take: (name, dims) => {
      const known = state.get(name);
      if (known !== undefined) return known;
      const drawn = draw(name, dims);
      state.set(name, drawn);
      return drawn;
    },
    unused: () => [],
  };
}
