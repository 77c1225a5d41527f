/**
 * @file The lossy linear maps of ZIP. For both, A A+ A = A, and A+ A is an orthogonal projection onto the range: what A
 * lets one see. What it erases, the null space, is what the diffusion model makes anew.
 * @source Shi et al. 2023, "Black-box Backdoor Defense via Zero-shot Image Purification", section 3.4. https://arxiv.org/abs/2303.12175
 */
import { averagePool, repeatBlocks } from "../tensor/pooling.ts";
import { imageDims } from "../tensor/shape.ts";
import { arrayOf, type RealTensor } from "../tensor/tensor.ts";
import { channelSumInto, copyToChannelsInto } from "./kernels.ts";

/** A linear map A on images with its pseudo-inverse A+. */
export interface LinearOperator {
  readonly name: "gray" | "pool";
  /** A x of images [N, C, H, W]. */
  observe<T extends RealTensor>(x: T): T;
  /** A+ y: images of the given dims from an observation. */
  restore<T extends RealTensor>(y: T, dims: readonly number[]): T;
}

/** A x: the mean of the channels, [N, 1, H, W]. A+ y: the same value in every channel. */
export const grayOperator: LinearOperator = {
  name: "gray",
  observe<T extends RealTensor>(x: T): T {
    const { n, c, h, w } = imageDims("gray operator", x.dims);
    const dims: readonly number[] = [n, 1, h, w];
    const data = new arrayOf[x.dtype](n * h * w);
    channelSumInto(data, x.data, new Array<number>(c).fill(1 / c), h * w);
    return { dtype: x.dtype, dims, data } as T;
  },
  restore<T extends RealTensor>(y: T, dims: readonly number[]): T {
    const { n, c, h, w } = imageDims("gray operator", dims);
    const data = new arrayOf[y.dtype](n * c * h * w);
    copyToChannelsInto(data, y.data, c, h * w);
    return { dtype: y.dtype, dims, data } as T;
  },
};

/** A x: means over blocks of scale x scale pixels. A+ y: every value copied into its block. */
export function poolOperator(scale: number): LinearOperator {
  return {
    name: "pool",
    observe: (x) => averagePool(x, scale),
    restore: (y, dims) => {
      const { h, w } = imageDims("pool operator", dims);
      return repeatBlocks(y, scale, h, w);
    },
  };
}

/** A+ A x: the part of x that A lets one see. */
export function rangeOf<T extends RealTensor>(operator: LinearOperator, x: T): T {
  return operator.restore(operator.observe(x), x.dims);
}
