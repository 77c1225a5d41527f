/**
 * @file Triggers in the frequency domain: CTRL and FTrojan add a number to a few cosine coefficients of the colour
 * differences.
 */
import { bytesFromUnit, unitFromBytes } from "../../../tensor/image-bytes.ts";
import { rowsOf } from "../../../tensor/rows.ts";
import { imageDims } from "../../../tensor/shape.ts";
import { type Float32Tensor, float32 } from "../../../tensor/tensor.ts";
import { fromYcrcbInto, shiftInto, toYcrcbInto, truncateInto } from "./kernels.ts";

/** What one step of each colour difference does to red, green and blue: the inverse of kornia's RGB to YUV. */
const YUV = inverse([0.299, 0.587, 0.114, -0.147, -0.289, 0.436, 0.615, -0.515, -0.1]);

/** Where a pattern goes. */
export interface SpectrumShift {
  /** [H, W] in 8-bit units. */
  readonly pattern: Float64Array;
  /**
   * `channels`: the image's own. `yuv`: brightness, blue and red difference, as floats. `ycrcb`: the same in whole 8-bit
   * numbers, the red difference before the blue.
   */
  readonly space: "channels" | "yuv" | "ycrcb";
  /** Which channels of that space. */
  readonly channels: readonly number[];
  /** What becomes of values outside 0..255: the nearest end, or modulo 256 as a cast to bytes makes them. */
  readonly overflow: "clip" | "wrap";
}

/**
 * Adds a pattern to channels of a colour space. Where sums wrap round, and in `ycrcb`, images are 8-bit before and after.
 * @param images float32 [N, C, H, W] in [0, 1], C = 3 unless the space is `channels`. @returns equal dims in [0, 1].
 * @source Li et al. 2023, "An Embarrassingly Simple Backdoor Attack on Self-supervised Learning", section 3.2 (CTRL);
 * Wang et al. 2022, "An Invisible Black-box Backdoor Attack through Frequency Domain", section 4 (FTrojan).
 */
export function shiftSpectrum(images: Float32Tensor, shift: SpectrumShift): Float32Tensor {
  if (shift.space === "ycrcb") return shiftYcrcb(images, shift);
  const values = shiftColours(images, shift);
  if (shift.overflow === "clip") {
    return float32(
      images.dims,
      values.data.map((value) => Math.min(Math.max(value / 255, 0), 1)),
    );
  }
  const bytes = new Uint8Array(values.data.length);
  truncateInto(bytes, values.data, "wrap");
  return unitFromBytes(images.dims, bytes);
}

/** The same before anything is clipped or cast: floats in 8-bit units. Not for `ycrcb`. */
export function shiftColours(images: Float32Tensor, shift: SpectrumShift): Float32Tensor {
  const source = shift.overflow === "wrap" ? unitFromBytes(images.dims, bytesFromUnit(images)) : images;
  const { n, c } = imageDims("spectrum", images.dims);
  const out = float32(images.dims);
  // Both colour maps are linear: to shift a colour difference is to shift red, green and blue by fixed shares.
  const gains = Array.from({ length: c }, (_, channel) =>
    shift.space === "yuv"
      ? shift.channels.reduce((sum, shifted) => sum + (YUV[3 * channel + shifted] ?? 0), 0)
      : Number(shift.channels.includes(channel)),
  );
  for (let row = 0; row < n; row++) {
    shiftInto(rowsOf(out, row, row + 1).data, rowsOf(source, row, row + 1).data, { pattern: shift.pattern, gains });
  }
  return out;
}

/** 8-bit RGB [N, 3, H, W] as 8-bit YCrCb, in the whole-number arithmetic of OpenCV. */
export function ycrcbOf({ dims, data }: { readonly dims: readonly number[]; readonly data: Uint8Array }): Uint8Array {
  const { n } = imageDims("ycrcb", dims);
  const out = new Uint8Array(data.length);
  const size = data.length / Math.max(n, 1);
  for (let from = 0; from < data.length; from += size) {
    toYcrcbInto(out.subarray(from, from + size), data.subarray(from, from + size));
  }
  return out;
}

function shiftYcrcb(images: Float32Tensor, { pattern, channels, overflow }: SpectrumShift): Float32Tensor {
  const colours = ycrcbOf({ dims: images.dims, data: bytesFromUnit(images) });
  const out = new Uint8Array(colours.length);
  const size = 3 * pattern.length;
  const shifted = Float64Array.from(colours, (value, i) => {
    const at = i % size;
    return value + (channels.includes(Math.floor(at / pattern.length)) ? (pattern[at % pattern.length] ?? 0) : 0);
  });
  truncateInto(colours, shifted, overflow);
  for (let from = 0; from < out.length; from += size) {
    fromYcrcbInto(out.subarray(from, from + size), colours.subarray(from, from + size));
  }
  return unitFromBytes(images.dims, out);
}

/** The inverse of a 3x3 matrix, row by row. */
function inverse(m: readonly number[]): number[] {
  const at = (row: number, column: number): number => m[3 * (row % 3) + (column % 3)] ?? 0;
  const cofactor = (row: number, column: number): number =>
    at(row + 1, column + 1) * at(row + 2, column + 2) - at(row + 1, column + 2) * at(row + 2, column + 1);
  const determinant = [0, 1, 2].reduce((sum, column) => sum + at(0, column) * cofactor(0, column), 0);
  return Array.from({ length: 9 }, (_, i) => cofactor(i % 3, Math.floor(i / 3)) / determinant);
}
