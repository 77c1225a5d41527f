/** @file The noise of a run as the samplers ask for it: one tensor for the whole batch, drawn row by row. */
import type { RunContext } from "../core/run-context.ts";
import { elementCount } from "../tensor/shape.ts";
import { type Float32Tensor, float32, type RealTensor } from "../tensor/tensor.ts";

/**
 * Noise for a batch, a function of the step: row n gets the noise of row n's image id, so it does not matter which
 * other images are in the batch.
 * @param stream vote and stage, such as `vote0/first`. @param like a batch [N, …] whose dims the noise has.
 * @returns step -> N(0, 1) values of those dims.
 */
export function noiseLike(
  run: Pick<RunContext, "noise">,
  stream: string,
  like: RealTensor,
): (step: number) => Float32Tensor {
  const [rows = 0, ...rest] = like.dims;
  const size = elementCount(rest);
  return (step) => {
    const out = float32(like.dims);
    for (let row = 0; row < rows; row++) out.data.set(run.noise(row, stream, step, size), row * size);
    return out;
  };
}
