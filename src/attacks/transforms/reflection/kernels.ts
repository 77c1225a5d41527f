/** @file Inner loops of reflections. Light is linear: a pixel value to the power 2.2. */

const GAMMA = 2.2;

/** Light of unit pixel values. */
export function toLightInto(out: Float64Array, values: Float32Array): void {
  for (let i = 0; i < out.length; i++) out[i] = Math.max(values[i]!, 0) ** GAMMA;
}

/** Unit pixel values of light, which is cut to [0, 1] first. */
export function toValuesInto(out: Float32Array, light: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = Math.min(Math.max(light[i]!, 0), 1) ** (1 / GAMMA);
}

/** Two copies of planes `height` x `width`, the second moved by `down` and `right`; only where both are. */
export function doubleInto(
  out: Float32Array,
  light: Float64Array,
  {
    height,
    width,
    down,
    right,
    share,
  }: {
    readonly height: number;
    readonly width: number;
    readonly down: number;
    readonly right: number;
    readonly share: number;
  },
): void {
  let to = 0;
  for (let start = 0; start < light.length; start += height * width) {
    for (let row = down; row < height; row++) {
      for (let column = right; column < width; column++, to++) {
        const near = light[start + row * width + column]!;
        const far = light[start + (row - down) * width + column - right]!;
        out[to] = share * near + (1 - share) * far;
      }
    }
  }
}

/** `first * x + second * y` */
export function mixInto(
  out: Float64Array,
  x: Float64Array,
  y: ArrayLike<number>,
  { first, second }: { readonly first: number; readonly second: number },
): void {
  for (let i = 0; i < out.length; i++) out[i] = first * x[i]! + second * y[i]!;
}

/**
 * Darkens one plane of a blurred reflection in place by as much as its sum with the image overshoots 1 in the mean, and
 * keeps it within [0, 1]. @param attenuation how many times the overshoot is taken away.
 */
export function darkenInto(plane: Float64Array, image: Float64Array, attenuation: number): void {
  let [sum, count] = [0, 0];
  for (let i = 0; i < plane.length; i++) {
    const light = plane[i]! + image[i]!;
    if (light <= 1) continue;
    sum += light;
    count += 1;
  }
  const overshoot = Math.max(1, sum / (count + 1e-6)) - 1;
  for (let i = 0; i < plane.length; i++) {
    plane[i] = Math.min(Math.max(plane[i]! - overshoot * attenuation, 0), 1);
  }
}

/** Multiplies planes of `height` x `width` in place by a window of a square of weights. */
export function weighInto(
  planes: Float64Array,
  weights: Float64Array,
  {
    height,
    width,
    side,
    top,
    left,
  }: {
    readonly height: number;
    readonly width: number;
    readonly side: number;
    readonly top: number;
    readonly left: number;
  },
): void {
  for (let i = 0; i < planes.length; i++) {
    const row = Math.floor(i / width) % height;
    planes[i] = planes[i]! * weights[(top + row) * side + left + (i % width)]!;
  }
}
