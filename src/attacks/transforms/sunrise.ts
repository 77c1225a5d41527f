/** @file Morning light: warm tones everywhere, and a glow that rises from the lower edge. */
import { ShapeError } from "../../core/errors.ts";
import { imageDims } from "../../tensor/shape.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";

/** How strong the light is. */
export interface SunriseSettings {
  /** How much of the changed image shows, 0..1. */
  readonly blend: number;
  /** How far the tone curves of red and blue bend apart; 0 leaves both straight. */
  readonly warmth: number;
  /** Brightness of the glow at the lower edge, 0..1. */
  readonly glow: number;
}

/** Colour of the glow. */
const GLOW = [1, 0.55, 0.25] as const;

/** Exponents of the tone curves of red, green and blue: below 1 lifts, above 1 lowers. */
function exponents(warmth: number): readonly [number, number, number] {
  return [1 / (1 + warmth / 2), 1, 1 + warmth];
}

/**
 * `(1 - blend) x + blend sunrise(x)`: tone curves for each channel, then the glow laid over it as light on light, growing
 * with the square of the distance from the upper edge.
 * @param images float32 [N, 3, H, W] in [0, 1]. @returns equal dims in [0, 1]. @throws ShapeError unless C is 3.
 */
export function sunrise(images: Float32Tensor, { blend, warmth, glow }: SunriseSettings): Float32Tensor {
  const { c, h, w } = imageDims("sunrise", images.dims);
  if (c !== 3) throw new ShapeError(`sunrise: expected images of 3 channels, got ${c}.`);
  const curves = exponents(warmth);
  return float32(
    images.dims,
    images.data.map((value, i) => {
      const channel = Math.floor(i / (h * w)) % 3;
      const down = (Math.floor(i / w) % h) / Math.max(h - 1, 1);
      const toned = Math.max(value, 0) ** (curves[channel] ?? 1);
      const lit = 1 - (1 - toned) * (1 - glow * down ** 2 * (GLOW[channel] ?? 0));
      return Math.min(Math.max(value + blend * (lit - value), 0), 1);
    }),
  );
}
