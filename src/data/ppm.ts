/** @file The picture format of GTSRB: a few numbers as text, then the samples. */
import { FormatError } from "../core/errors.ts";
import { stridedCopyInto } from "../tensor/kernels.ts";
import type { DecodedPicture } from "./decoders.ts";

/** Longest header with its comments. */
const HEADER_LIMIT = 1024;

/**
 * Reads a binary colour PPM of 8 bits.
 * @param name what to call the file in messages. @param maxPixels most pixels, width times height.
 * @throws FormatError when it is something else, over the limit, or cut short.
 * @source Netpbm, "PPM Format Specification".
 */
export function readPpm(bytes: Uint8Array, name: string, maxPixels: number): DecodedPicture {
  const head = String.fromCharCode(...bytes.subarray(0, HEADER_LIMIT));
  const gap = "(?:\\s|#[^\\n]*\\n)+";
  const match = new RegExp(`^P6${gap}(\\d{1,9})${gap}(\\d{1,9})${gap}(\\d{1,9})\\s`).exec(head);
  const [width, height, most] = [Number(match?.[1]), Number(match?.[2]), Number(match?.[3])];
  if (match === null || most !== 255 || width < 1 || height < 1) {
    throw new FormatError(`${name}: expected a binary PPM of 8 bits, got ${bytes.length} other bytes.`);
  }
  if (width * height > maxPixels) {
    throw new FormatError(`${name}: expected at most ${maxPixels} pixels, got ${width} x ${height}.`);
  }
  const samples = bytes.subarray(match[0].length);
  const pixels = new Uint8Array(3 * width * height);
  if (samples.length !== pixels.length) {
    throw new FormatError(
      `${name}: expected ${pixels.length} bytes for ${width} x ${height} pixels, got ${samples.length}.`,
    );
  }
  stridedCopyInto(pixels, samples, { offset: 0, dims: [3, height, width], strides: [1, 3 * width, 3], size: 1 });
  return { channels: 3, height, width, pixels };
}
