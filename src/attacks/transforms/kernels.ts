/** @file Inner loops of image transforms. */

/** Reads one plane along a grid in [-1, 1], bilinear with corners aligned; `out` and `plane` are different memory. */
export function sampleInto(
  out: Float32Array,
  plane: Float32Array,
  { x, y }: { readonly x: Float64Array; readonly y: Float64Array },
  [height, width]: readonly [number, number],
): void {
  for (let i = 0; i < out.length; i++) {
    const column = ((x[i]! + 1) / 2) * (width - 1);
    const row = ((y[i]! + 1) / 2) * (height - 1);
    const left = Math.min(Math.floor(column), width - 1);
    const top = Math.min(Math.floor(row), height - 1);
    const right = Math.min(left + 1, width - 1);
    const bottom = Math.min(top + 1, height - 1);
    const [a, b] = [column - left, row - top];
    const above = plane[top * width + left]! * (1 - a) + plane[top * width + right]! * a;
    const below = plane[bottom * width + left]! * (1 - a) + plane[bottom * width + right]! * a;
    out[i] = above * (1 - b) + below * b;
  }
}

/** To the nearest integer, ties to the even one. */
function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Rounds unit values to `levels` evenly spaced ones. */
export function quantiseInto(out: Float32Array, values: Float32Array, levels: number): void {
  const steps = levels - 1;
  // In float32, as images are: a tie of 8-bit values is then the tie that other implementations see.
  for (let i = 0; i < out.length; i++) out[i] = roundToEven(Math.fround(values[i]! * steps)) / steps;
}

/** Floyd-Steinberg on one plane, in 8-bit units within a float32 buffer; the result is rounded to them and clipped. */
export function ditherInto(
  out: Float32Array,
  plane: Float32Array,
  { width, levels }: { readonly width: number; readonly levels: number },
): void {
  const height = plane.length / width;
  const steps = levels - 1;
  const buffer = new Float32Array(plane.length);
  for (let i = 0; i < plane.length; i++) buffer[i] = Math.round(255 * plane[i]!);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const i = row * width + column;
      const old = buffer[i]!;
      const level = (roundToEven((old / 255) * steps) / steps) * 255;
      buffer[i] = level;
      const error = old - level;
      if (column + 1 < width) buffer[i + 1] = buffer[i + 1]! + (error * 7) / 16;
      if (row + 1 >= height) continue;
      if (column > 0) buffer[i + width - 1] = buffer[i + width - 1]! + (error * 3) / 16;
      buffer[i + width] = buffer[i + width]! + (error * 5) / 16;
      if (column + 1 < width) buffer[i + width + 1] = buffer[i + width + 1]! + error / 16;
    }
  }
  for (let i = 0; i < out.length; i++) out[i] = Math.min(Math.max(roundToEven(buffer[i]!), 0), 255) / 255;
}

/** `out = clip(x + changed - other)` */
export function residualInto(out: Float32Array, x: Float32Array, other: Float32Array, changed: Float32Array): void {
  for (let i = 0; i < out.length; i++) out[i] = Math.min(Math.max(x[i]! + changed[i]! - other[i]!, 0), 1);
}
