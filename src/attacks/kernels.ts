/** @file Inner loops of applying triggers. */

/** `x += blend * mask * (pattern - x)` in place, mask and pattern repeated for every image of the batch. */
export function pasteInto(x: Float32Array, mask: Float32Array, pattern: Float32Array, blend: number): void {
  for (let i = 0; i < x.length; i++) {
    const j = i % mask.length;
    x[i] = x[i]! + blend * mask[j]! * (pattern[j]! - x[i]!);
  }
}
