/** @file Inner loops of assembling batches. */

/** What {@link noisedInto} mixes. */
export interface NoisedImage {
  /** 8-bit values. */
  readonly pixels: Uint8Array;
  readonly noise: Float32Array;
  /** sqrt(alphaBar) */
  readonly signal: number;
  /** sqrt(1 - alphaBar) */
  readonly deviation: number;
}

/** `out = signal * x + deviation * noise`, x the pixels in [-1, 1]. */
export function noisedInto(out: Float32Array, { pixels, noise, signal, deviation }: NoisedImage): void {
  for (let i = 0; i < out.length; i++) {
    out[i] = signal * (pixels[i]! / 127.5 - 1) + deviation * noise[i]!;
  }
}

/** Size of an image. */
export interface Plane {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Moves an image; what comes in is zero. */
export function translateInto(
  x: Float32Array,
  { channels, height, width }: Plane,
  { down, right }: { readonly down: number; readonly right: number },
): void {
  const old = x.slice();
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++) {
        const [row, column] = [i - down, j - right];
        const inside = row >= 0 && row < height && column >= 0 && column < width;
        x[(c * height + i) * width + j] = inside ? old[(c * height + row) * width + column]! : 0;
      }
    }
  }
}

/** Mirrors an image left to right. */
export function flipInto(x: Float32Array, { channels, height, width }: Plane): void {
  for (let row = 0; row < channels * height; row++) x.subarray(row * width, (row + 1) * width).reverse();
}

/** Turns an image about its centre, with bilinear interpolation; what comes in is zero. */
export function rotateInto(x: Float32Array, { channels, height, width }: Plane, angle: number): void {
  const old = x.slice();
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [middleY, middleX] = [(height - 1) / 2, (width - 1) / 2];
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const fromY = middleY + cos * (i - middleY) - sin * (j - middleX);
      const fromX = middleX + sin * (i - middleY) + cos * (j - middleX);
      const [y0, x0] = [Math.floor(fromY), Math.floor(fromX)];
      const [fy, fx] = [fromY - y0, fromX - x0];
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let corner = 0; corner < 4; corner++) {
          const row = y0 + (corner >> 1);
          const column = x0 + (corner & 1);
          if (row < 0 || row >= height || column < 0 || column >= width) continue;
          const share = (corner >> 1 ? fy : 1 - fy) * (corner & 1 ? fx : 1 - fx);
          sum += share * old[(c * height + row) * width + column]!;
        }
        x[(c * height + i) * width + j] = sum;
      }
    }
  }
}

/** Sets a square to zero; it may hang over the edge. */
export function cutOutInto(
  x: Float32Array,
  { channels, height, width }: Plane,
  { top, left, side }: { readonly top: number; readonly left: number; readonly side: number },
): void {
  const [fromRow, toRow] = [Math.max(0, top), Math.min(height, top + side)];
  const [from, to] = [Math.max(0, left), Math.min(width, left + side)];
  for (let c = 0; c < channels; c++) {
    for (let i = fromRow; i < toRow; i++) x.fill(0, (c * height + i) * width + from, (c * height + i) * width + to);
  }
}

/** `out = pixels / 255` */
export function unitInto(out: Float32Array, pixels: Uint8Array): void {
  for (let i = 0; i < out.length; i++) out[i] = pixels[i]! / 255;
}
