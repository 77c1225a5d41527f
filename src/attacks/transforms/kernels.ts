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
    const a = column - left;
    const b = row - top;
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

/** A strip of one image that is copied into another. */
export interface Strip {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Whether the strip is made of columns, or of rows. */
  readonly columns: boolean;
  readonly from: number;
  readonly to: number;
  /** Where it begins in the source. */
  readonly skip: number;
}

/** Copies columns (or rows) `skip`… of an image to `from`..`to - 1` of another. */
export function halvesInto(out: Float32Array, image: Float32Array, strip: Strip): void {
  const { channels, height, width, columns, from, to, skip } = strip;
  for (let c = 0; c < channels; c++) {
    for (let i = from; i < to; i++) {
      const source = skip + i - from;
      const others = columns ? height : width;
      for (let j = 0; j < others; j++) {
        const at = columns ? (c * height + j) * width + i : (c * height + i) * width + j;
        const read = columns ? (c * height + j) * width + source : (c * height + source) * width + j;
        out[at] = image[read]!;
      }
    }
  }
}

/** Brightness, then contrast about the mean grey, of one image in place; clipped after each. */
export function jitterInto(
  x: Float32Array,
  {
    brightness,
    contrast,
    channels,
  }: { readonly brightness: number; readonly contrast: number; readonly channels: number },
): void {
  const size = x.length / channels;
  let grey = 0;
  for (let i = 0; i < x.length; i++) {
    x[i] = Math.min(Math.max(x[i]! * brightness, 0), 1);
    grey += x[i]! * (channels === 3 ? GREY[Math.floor(i / size)]! : 1 / channels);
  }
  grey /= size;
  for (let i = 0; i < x.length; i++) x[i] = Math.min(Math.max(grey + contrast * (x[i]! - grey), 0), 1);
}

/** Weights of red, green and blue in a grey. */
const GREY = [0.299, 0.587, 0.114];

/** One affine map of an image. */
export interface Affine {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly mirror: boolean;
  /** In radians. */
  readonly angle: number;
  /** In pixels. */
  readonly right: number;
  readonly down: number;
  readonly scale: number;
}

/** Turns, scales and shifts one image about its centre, bilinear; zeros come in from outside. */
export function affineInto(out: Float32Array, image: Float32Array, map: Affine): void {
  const { channels, height, width, mirror, angle, right, down, scale } = map;
  const size = height * width;
  const cos = Math.cos(angle) / scale;
  const sin = Math.sin(angle) / scale;
  const middle = (width - 1) / 2;
  const centre = (height - 1) / 2;
  for (let row = 0; row < height; row++) {
    const dy = row - centre - down;
    for (let column = 0; column < width; column++) {
      const dx = column - middle - right;
      const straight = cos * dx + sin * dy + middle;
      const x = mirror ? width - 1 - straight : straight;
      const y = cos * dy - sin * dx + centre;
      const left = Math.floor(x);
      const top = Math.floor(y);
      const a = x - left;
      const b = y - top;
      const hasLeft = left >= 0 && left < width;
      const hasRight = left >= -1 && left < width - 1;
      const hasTop = top >= 0 && top < height;
      const hasBottom = top >= -1 && top < height - 1;
      for (let c = 0; c < channels; c++) {
        const at = c * size + top * width + left;
        let sum = 0;
        if (hasTop && hasLeft) sum += (1 - a) * (1 - b) * image[at]!;
        if (hasTop && hasRight) sum += a * (1 - b) * image[at + 1]!;
        if (hasBottom && hasLeft) sum += (1 - a) * b * image[at + width]!;
        if (hasBottom && hasRight) sum += a * b * image[at + width + 1]!;
        out[c * size + row * width + column] = sum;
      }
    }
  }
}

/** One step of a filter that looks at a pixel alone. */
export type FilterStep =
  /** Brightness and saturation of the pixel, multiplied. */
  | { readonly kind: "modulate"; readonly brightness: number; readonly saturation: number }
  /** Mixed with a colour. */
  | { readonly kind: "tint"; readonly colour: readonly [number, number, number]; readonly strength: number }
  /** Mixed with a colour where the pixel is dark, or bright. */
  | {
      readonly kind: "tone";
      readonly colour: readonly [number, number, number];
      readonly strength: number;
      readonly where: "shadows" | "highlights";
    }
  /** Mixed with its product with a colour. */
  | { readonly kind: "multiply"; readonly colour: readonly [number, number, number]; readonly strength: number }
  | { readonly kind: "gamma"; readonly gamma: number }
  /** A sigmoid about the middle. */
  | { readonly kind: "contrast"; readonly strength: number }
  /** Some channels stretched from `black` to one. */
  | { readonly kind: "level"; readonly black: number; readonly channels: readonly number[] };

/** One step of a filter on one RGB image in place. */
export function filterInto(x: Float32Array, step: FilterStep): void {
  const size = x.length / 3;
  for (let i = 0; i < size; i++) {
    const grey = GREY[0]! * x[i]! + GREY[1]! * x[size + i]! + GREY[2]! * x[2 * size + i]!;
    for (let c = 0; c < 3; c++) {
      const value = x[c * size + i]!;
      x[c * size + i] = Math.min(Math.max(stepped(value, grey, c, step), 0), 1);
    }
  }
}

function stepped(value: number, grey: number, channel: number, step: FilterStep): number {
  switch (step.kind) {
    case "modulate":
      return step.brightness * (grey + step.saturation * (value - grey));
    case "tint":
      return value + step.strength * (step.colour[channel]! - value);
    case "tone": {
      const share = step.strength * (step.where === "shadows" ? 1 - grey : grey);
      return value + share * (step.colour[channel]! - value);
    }
    case "multiply":
      return value * (1 - step.strength + step.strength * step.colour[channel]!);
    case "gamma":
      return value ** (1 / step.gamma);
    case "contrast": {
      const sigmoid = (v: number): number => 1 / (1 + Math.exp(step.strength * (0.5 - v)));
      const [low, high] = [sigmoid(0), sigmoid(1)];
      return (sigmoid(value) - low) / (high - low);
    }
    case "level":
      return step.channels.includes(channel) ? (value - step.black) / (1 - step.black) : value;
  }
}

/** The gamma that brings the mean of one image to the middle, in place. */
export function autoGammaInto(x: Float32Array): void {
  let mean = 0;
  for (let i = 0; i < x.length; i++) mean += x[i]!;
  mean = Math.min(Math.max(mean / x.length, 1e-3), 1 - 1e-3);
  const exponent = Math.log(0.5) / Math.log(mean);
  for (let i = 0; i < x.length; i++) x[i] = x[i]! ** exponent;
}

/** Fades one RGB image into a colour towards its corners, in place. */
export function vignetteInto(
  x: Float32Array,
  { colour, strength }: { readonly colour: readonly [number, number, number]; readonly strength: number },
  [height, width]: readonly [number, number],
): void {
  const size = height * width;
  for (let i = 0; i < size; i++) {
    const across = ((i % width) + 0.5) / width - 0.5;
    const down = (Math.floor(i / width) + 0.5) / height - 0.5;
    const share = strength * Math.min(2 * (across * across + down * down), 1);
    for (let c = 0; c < 3; c++) {
      const at = c * size + i;
      x[at] = x[at]! + share * (colour[c]! - x[at]!);
    }
  }
}
