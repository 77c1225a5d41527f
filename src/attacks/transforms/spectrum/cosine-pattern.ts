/** @file What a shift of a few cosine coefficients looks like: the same stripes in every window. */
import { OptionError } from "../../../core/errors.ts";
import { cosineBasis } from "../../../tensor/filters/cosine-transform.ts";

/** Which coefficients are shifted, and how far. */
export interface CosineShift {
  /** Side of the windows that are transformed one by one, in pixels. */
  readonly window: number;
  /** Row and column of each coefficient within a window. */
  readonly positions: readonly (readonly [row: number, column: number])[];
  /** Added to each coefficient of the orthonormal transform, in steps of 8-bit pixels. */
  readonly magnitude: number;
}

/**
 * The pattern that shifting coefficients adds to an image: the transform is linear, so it is the same for every image.
 * Pixels beyond the last whole window stay.
 * @returns [H, W] in 8-bit units. @throws OptionError when a window does not fit, or a position lies outside of it.
 */
export function cosinePattern(
  { window, positions, magnitude }: CosineShift,
  [height, width]: readonly [height: number, width: number],
): Float64Array {
  if (window > Math.min(height, width)) {
    throw new OptionError(`spectrum: expected a window of at most ${Math.min(height, width)} pixels, got ${window}.`);
  }
  for (const [row, column] of positions) {
    if (Math.max(row, column) < window) continue;
    throw new OptionError(`spectrum: expected positions below ${window}, got ${row}, ${column}.`);
  }
  const basis = cosineBasis(window);
  const wave = (k: number, i: number): number => basis[k * window + (i % window)] ?? 0;
  const whole = (side: number): number => side - (side % window);
  return Float64Array.from({ length: height * width }, (_, at) => {
    const [i, j] = [Math.floor(at / width), at % width];
    if (i >= whole(height) || j >= whole(width)) return 0;
    return magnitude * positions.reduce((sum, [row, column]) => sum + wave(row, i) * wave(column, j), 0);
  });
}
