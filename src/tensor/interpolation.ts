/** @file Kernels of linear and cubic interpolation: the weight of a sample by its distance in pixels. */

/** Linear interpolation: 1 at distance 0, falling to 0 at distance 1. */
export function tent(distance: number): number {
  return Math.max(1 - Math.abs(distance), 0);
}

/**
 * Cubic convolution with slope `a`; 0 from distance 2.
 * @source Keys 1981, "Cubic convolution interpolation for digital image processing", eq. 15 with the slope as parameter.
 */
export function cubic(a: number): (distance: number) => number {
  return (distance) => {
    const d = Math.abs(distance);
    if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
  };
}
