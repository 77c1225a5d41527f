/**
 * @file The pictures that BadDiffusion's triggers and targets show, drawn by formula: a sign, glasses, a hat, a shoe, a cat. Coordinates run
 * from -1 to 1, rows downwards; the ground is white, and transparent in a trigger.
 */
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";

/** A colour in [0, 1]; `undefined` where the ground shows. */
type Colour = readonly [red: number, green: number, blue: number] | undefined;
type Drawing = (x: number, y: number) => Colour;

/** Samples along each axis of a pixel. */
const SAMPLES = 4;
const WHITE = [1, 1, 1] as const;
const DARK = [0.05, 0.05, 0.05] as const;
/** What each colour adds to brightness. */
const LUMA = [0.299, 0.587, 0.114] as const;

const drawings = {
  /** A red octagon with a pale bar in the place of its letters. */
  "stop-sign": (x, y) => {
    const [across, down] = [Math.abs(x), Math.abs(y)];
    if (Math.max(across, down, (across + down) / Math.SQRT2) > 0.9) return undefined;
    return across < 0.62 && down < 0.14 ? [0.94, 0.94, 0.94] : [0.78, 0.08, 0.1];
  },
  /** Two dark rings with a bridge and temples. */
  glasses: (x, y) => {
    const side = Math.abs(x);
    const distance = Math.hypot((side - 0.5) / 0.36, y / 0.3);
    const isFrame = distance <= 1 && distance >= 0.74;
    const isBar = Math.abs(y + 0.06) < 0.06 && (side < 0.16 || side > 0.84);
    return isFrame || isBar ? [0.12, 0.1, 0.1] : undefined;
  },
  /** A brown felt hat with a black ribbon. */
  hat: (x, y) => {
    if (Math.hypot(x / 0.95, (y - 0.35) / 0.2) <= 1) return [0.43, 0.27, 0.14];
    const side = Math.abs(x);
    const top = -0.56 + 0.1 * Math.cos(5 * x) + 12 * Math.max(side - 0.34, 0) ** 2;
    if (side > 0.52 + 0.12 * y || y < top || y > 0.35) return undefined;
    return y > 0.08 ? [0.1, 0.08, 0.08] : [0.5, 0.32, 0.17];
  },
  /** A pale ankle boot that looks to the left, with a dark sole. */
  shoe: (x, y) => {
    if (Math.abs(x) > 0.85 || Math.abs(y) > 0.7) return undefined;
    if (y > 0.52) return x < 0.35 || x > 0.5 ? [0.15, 0.13, 0.13] : undefined;
    const instep = x < 0.1 ? 0.1 - 0.55 * (x + 0.85) ** 0.5 + 0.4 * (0.1 - x) : -0.7;
    return y > instep ? [0.86, 0.84, 0.8] : undefined;
  },
  /** The grey face of a cat: two ears, two green eyes, a pink nose. */
  cat: (x, y) => {
    const side = Math.abs(x);
    if (Math.hypot((side - 0.3) / 0.13, (y - 0.05) / 0.17) <= 1)
      return side > 0.26 && side < 0.34 ? DARK : [0.5, 0.8, 0.3];
    if (side < 0.1 - (y - 0.3) && y > 0.3 && y < 0.4) return [0.95, 0.6, 0.65];
    const isEar = y < -0.1 && y > -0.9 && side > 0.2 + 0.35 * (-0.1 - y) * 0.6 && side < 0.75 - 0.2 * (-0.1 - y);
    return isEar || Math.hypot(x / 0.78, (y - 0.15) / 0.68) <= 1 ? [0.55, 0.53, 0.5] : undefined;
  },
} as const satisfies Record<string, Drawing>;

/** The name of a drawn picture. */
export type DrawnPicture = keyof typeof drawings;

/**
 * Draws a picture, edges smooth.
 * @param channels 3, or 1 for its brightness. @returns [channels, side, side] in model range [-1, 1].
 */
export function drawPicture(name: DrawnPicture, side: number, channels: number): Float32Tensor {
  const draw: Drawing = drawings[name];
  const steps = side * SAMPLES;
  const at = (i: number): number => (2 * (i + 0.5)) / steps - 1;
  const colours = Array.from({ length: side * side }, (_, pixel): number[] => {
    const sum = [0, 0, 0];
    for (let sample = 0; sample < SAMPLES ** 2; sample++) {
      const column = (pixel % side) * SAMPLES + (sample % SAMPLES);
      const row = Math.floor(pixel / side) * SAMPLES + Math.floor(sample / SAMPLES);
      const colour = draw(at(column), at(row)) ?? WHITE;
      colour.forEach((value, c) => {
        sum[c] = (sum[c] ?? 0) + value / SAMPLES ** 2;
      });
    }
    return channels === 3 ? sum : [sum.reduce((luma, value, c) => luma + value * (LUMA[c] ?? 0), 0)];
  });
  const plane = side * side;
  const values = Array.from(
    { length: channels * plane },
    (_, i) => 2 * (colours[i % plane]?.[Math.floor(i / plane)] ?? 1) - 1,
  );
  return float32([channels, side, side], values);
}
