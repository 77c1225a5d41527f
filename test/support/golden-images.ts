/** @file Recorded images: stored [H, W] or [H, W, C] in 8 bits, read as the toolkit's images. */
import type { ImageShape } from "../../src/attacks/trigger.ts";
import { bytesFromUnit } from "../../src/tensor/image-bytes.ts";
import { type Float32Tensor, float32 } from "../../src/tensor/tensor.ts";
import type { GoldenFile } from "./golden.ts";

/** HWC (or HW) values as CHW. */
export function planes(file: GoldenFile, name: string): { shape: ImageShape; values: Float32Array } {
  const [h = 0, w = 0, c = 1] = file.dims(name);
  const values = file.float32(name);
  return { shape: [c, h, w], values: values.map((_, i) => values[(i % (h * w)) * c + Math.floor(i / (h * w))]!) };
}

/** An 8-bit image as a batch of one in [0, 1]. */
export function imageBatch(file: GoldenFile, name: string): Float32Tensor {
  const { shape, values } = planes(file, name);
  return float32(
    [1, ...shape],
    values.map((value) => value / 255),
  );
}

/** The 8-bit values of images. */
export const bytesOf = (images: Float32Tensor): Uint8Array => bytesFromUnit(images);
