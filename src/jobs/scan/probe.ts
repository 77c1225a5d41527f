/** @file The clean images that every model is looked at with: the same ones for the suspect and for what it is compared with. */
import { type ImageId, imageId } from "../../core/noise.ts";
import { unitFromBytes } from "../../tensor/image-bytes.ts";
import { rowsOf } from "../../tensor/rows.ts";
import type { Float32Tensor } from "../../tensor/tensor.ts";
import type { ClassifiedImages } from "../training/host.ts";

/** Clean images as floats, with their names for noise. */
export interface Probe {
  /** float32 [N, C, H, W] in [0, 1] */
  readonly images: Float32Tensor;
  readonly labels: Int32Array;
  readonly ids: readonly ImageId[];
}

/** Prepares clean images. */
export function probeOf({ images, labels }: ClassifiedImages): Probe {
  const [n = 0, ...dims] = images.dims;
  return {
    images: unitFromBytes(images.dims, images.data),
    labels: Int32Array.from(labels),
    ids: Array.from({ length: n }, (_, i) => imageId(dims, rowsOf(images, i, i + 1).data)),
  };
}
