/** @file BPP's trigger: fewer colours, with or without Floyd-Steinberg dithering. */
import { imageDims } from "../../tensor/shape.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";
import { ditherInto, quantiseInto, residualInto } from "./kernels.ts";

/**
 * Rounds every value to the nearest of `levels` evenly spaced ones (ties to the even level).
 * @param images float32 [N, C, H, W] in [0, 1]. @param levels at least 2.
 * @source Wang, Zhai, Ma 2022, "BppAttack", section 4.2.
 */
export function quantise(images: Float32Tensor, levels: number): Float32Tensor {
  const out = float32(images.dims);
  quantiseInto(out.data, images.data, levels);
  return out;
}

/**
 * As {@link quantise}, with the error of every pixel handed to its neighbours: 7/16 right, 3/16, 5/16 and 1/16 below. Each
 * channel on its own; results are whole 8-bit steps.
 * @source Floyd and Steinberg 1976, as used in Wang, Zhai, Ma 2022, section 4.2.
 */
export function dither(images: Float32Tensor, levels: number): Float32Tensor {
  const { n, c, h, w } = imageDims("dither", images.dims);
  const out = float32(images.dims);
  for (let plane = 0; plane < n * c; plane++) {
    const from = plane * h * w;
    ditherInto(out.data.subarray(from, from + h * w), images.data.subarray(from, from + h * w), { width: w, levels });
  }
  return out;
}

/**
 * Adds to every image what the trigger changed in another one, clipped: the negatives that teach a model to look at the
 * image's own residual. @param others the other images. @param changed the same with the trigger, as stored in 8 bits.
 */
export function addResidual(images: Float32Tensor, others: Float32Tensor, changed: Float32Tensor): Float32Tensor {
  const out = float32(images.dims);
  residualInto(out.data, images.data, others.data, changed.data);
  return out;
}
