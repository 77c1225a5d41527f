/** @file A pattern on an image where a soft mask says so. */
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";

/** `x + mask * (pattern - x)`. @param mask [N, 1, H, W], the same for all channels. */
export function mixByMask(images: Float32Tensor, pattern: Float32Tensor, mask: Float32Tensor): Float32Tensor {
  const [, channels = 1, height = 1, width = 1] = images.dims;
  const plane = height * width;
  return float32(
    images.dims,
    images.data.map((value, i) => {
      const share = mask.data[Math.floor(i / (channels * plane)) * plane + (i % plane)] ?? 0;
      return value + share * ((pattern.data[i] ?? 0) - value);
    }),
  );
}
