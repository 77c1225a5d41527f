/** @file Inner loops of applying triggers. */

/** `x += blend * mask * (pattern - x)` in place, mask and pattern repeated for every image of the batch. */
export function pasteInto(x: Float32Array, mask: Float32Array, pattern: Float32Array, blend: number): void {
  for (let i = 0; i < x.length; i++) {
    const j = i % mask.length;
    x[i] = x[i]! + blend * mask[j]! * (pattern[j]! - x[i]!);
  }
}

/** `x = clip(x + pattern)` in place, the pattern repeated for every image of the batch. */
export function addInto(x: Float32Array, pattern: Float32Array): void {
  for (let i = 0; i < x.length; i++) {
    x[i] = Math.min(Math.max(x[i]! + pattern[i % pattern.length]!, 0), 1);
  }
}

/** As {@link addInto}, with sums that wrap round at 256 in 8-bit units. */
export function addModuloInto(x: Float32Array, pattern: Float32Array): void {
  for (let i = 0; i < x.length; i++) {
    const sum = 255 * (x[i]! + pattern[i % pattern.length]!);
    // Sums of 255 and a little, from rounding, are still 255.
    const wrapped = sum - 256 * Math.floor((sum + 1e-3) / 256);
    x[i] = Math.min(Math.max(wrapped / 255, 0), 1);
  }
}

/** Where a patch lies on an image. */
export interface Stuck {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly patchHeight: number;
  readonly patchWidth: number;
  readonly top: number;
  readonly left: number;
  readonly blend: number;
}

/** `x += blend * mask * (pattern - x)` in place on a rectangle of one image. */
export function stickInto(x: Float32Array, mask: Float32Array, pattern: Float32Array, at: Stuck): void {
  for (let c = 0; c < at.channels; c++) {
    for (let i = 0; i < at.patchHeight; i++) {
      for (let j = 0; j < at.patchWidth; j++) {
        const to = (c * at.height + at.top + i) * at.width + at.left + j;
        const from = (c * at.patchHeight + i) * at.patchWidth + j;
        x[to] = x[to]! + at.blend * mask[from]! * (pattern[from]! - x[to]!);
      }
    }
  }
}
