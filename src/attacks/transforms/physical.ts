/** @file Changes of a camera that looks at a print: mirrored, brighter or darker, turned, shifted, further away. */
import { imageDims } from "../../tensor/shape.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";
import { affineInto, jitterInto } from "./kernels.ts";

/** How strong the changes are. */
export interface PhysicalSettings {
  /** Brightness and contrast are multiplied by 1 plus or minus this at most. */
  readonly jitter: number;
  /** Largest angle in degrees, either way. */
  readonly rotation: number;
  /** Largest shift, as a share of the side. */
  readonly shift: number;
  /** Smallest and largest scale. */
  readonly scale: readonly [number, number];
}

/** Uniform numbers that one image takes. */
export const PHYSICAL_DRAWS = 7;

/**
 * Changes every image: mirrored or not, brightness, contrast, then one affine map about the centre (bilinear, zeros
 * outside).
 * @param drawsOf seven uniform numbers in [0, 1) for a row.
 * @source Li et al. 2021, "Backdoor Attack in the Physical World", section 4.2, with the numbers of the authors' code.
 */
export function physicalChange(
  images: Float32Tensor,
  { jitter, rotation, shift, scale: [least, most] }: PhysicalSettings,
  drawsOf: (row: number) => ArrayLike<number>,
): Float32Tensor {
  const { n, c, h, w } = imageDims("physical", images.dims);
  const out = float32(images.dims);
  const size = c * h * w;
  for (let row = 0; row < n; row++) {
    const [mirror = 0, bright = 0, contrast = 0, turn = 0, across = 0, down = 0, scale = 0] = Array.from(drawsOf(row));
    const own = images.data.slice(row * size, (row + 1) * size);
    const signed = (draw: number, range: number): number => (2 * draw - 1) * range;
    jitterInto(own, { brightness: 1 + signed(bright, jitter), contrast: 1 + signed(contrast, jitter), channels: c });
    affineInto(out.data.subarray(row * size, (row + 1) * size), own, {
      channels: c,
      height: h,
      width: w,
      mirror: mirror < 0.5,
      angle: (signed(turn, rotation) * Math.PI) / 180,
      right: signed(across, shift) * w,
      down: signed(down, shift) * h,
      scale: least + scale * (most - least),
    });
  }
  return out;
}
