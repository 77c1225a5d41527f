/** @file Pictures out of arrays: npy, npz and IDX files hold many in one file. */
import { basename } from "node:path";
import { FormatError } from "../core/errors.ts";
import { readIdx } from "../data/idx.ts";
import { readNpy } from "../data/npy.ts";
import { readNpz } from "../data/npz.ts";
import { checkPixels, type PictureLimits } from "../images/limits.ts";
import type { Picture } from "../images/picture.ts";
import { floatsFromFloat16 } from "../tensor/half.ts";
import { bytesFromUnit } from "../tensor/image-bytes.ts";
import { rowsOf } from "../tensor/rows.ts";
import { formatDims } from "../tensor/shape.ts";
import { float32, type Tensor, type TensorOf } from "../tensor/tensor.ts";

const idxFile = /idx\d(-ubyte)?(\.gz)?$/i;

/** Pictures by number. */
export interface ArrayPictures {
  readonly count: number;
  /** Size of each. */
  readonly channels: 1 | 3;
  readonly height: number;
  readonly width: number;
  /** Picture `i` under the given name. @throws FormatError when its values are not in [0, 1]. */
  at(i: number, name: string): Picture;
}

/** True for a file that, by its name, holds an array and not a picture. */
export function isArrayFile(path: string): boolean {
  return /\.np[yz]$/i.test(path) || idxFile.test(basename(path));
}

/**
 * The pictures of an npy, npz or IDX file: [N, C, H, W] or [N, H, W, C] with 1 or 3 channels, or an IDX file of
 * [N, H, W]; uint8, or floats in [0, 1] that are rounded to 8 bits.
 * @param path says which format it is, and names the file in messages.
 * @throws FormatError when it is none of these; for npz also when not exactly one of its arrays has four dims.
 */
export function openArrayPictures(bytes: Uint8Array, path: string, limits: PictureLimits = {}): ArrayPictures {
  const isIdx = !/\.np[yz]$/i.test(path);
  const t = isIdx ? readIdx(bytes, path) : /\.npz$/i.test(path) ? imagesOf(bytes, path) : readNpy(bytes, path);
  return arrayPictures(t, path, { ...limits, takesGrey: isIdx });
}

/**
 * The pictures of an array as {@link openArrayPictures} takes them.
 * @param takesGrey also takes [N, H, W]. @throws FormatError when it is none of these.
 */
export function arrayPictures(
  t: Tensor,
  path: string,
  { takesGrey, ...limits }: PictureLimits & { readonly takesGrey: boolean },
): ArrayPictures {
  const { dims } = t;
  const isGrey = takesGrey && dims.length === 3;
  const [n = 0, second = 0, third = 0, last = 0] = isGrey ? [dims[0], 1, dims[1], dims[2]] : dims;
  const isPlanar = second === 1 || second === 3;
  if (!(dims.length === 4 || isGrey) || !(isPlanar || last === 1 || last === 3)) {
    throw new FormatError(
      `${path}: expected images [N, C, H, W] or [N, H, W, C] with 1 or 3 channels, got ${formatDims(dims)}.`,
    );
  }
  const [channels, height, width] = isPlanar ? [second, third, last] : [last, second, third];
  checkPixels(path, width, height, limits);
  if (n < 1) throw new FormatError(`${path}: expected at least one image, got ${formatDims(dims)}.`);
  return {
    count: n,
    channels: channels === 1 ? 1 : 3,
    height,
    width,
    at(i, name) {
      const values = bytesOf(rowsOf(t, i, i + 1) as Tensor, `${path}: image ${i}`);
      const pixels = isPlanar ? values : planesOf(values, channels);
      return { name, channels: channels === 1 ? 1 : 3, height, width, pixels };
    },
  };
}

function imagesOf(bytes: Uint8Array, path: string): Tensor {
  const arrays = [...readNpz(bytes, path)];
  const images = arrays.filter(([, { dims }]) => dims.length === 4);
  const [only] = images;
  if (only !== undefined && images.length === 1) return only[1];
  const list = arrays.map(([name, { dims }]) => `${name} ${formatDims(dims)}`).join(", ") || "nothing";
  throw new FormatError(`${path}: expected exactly one array of four dims, got ${list}.`);
}

function bytesOf(t: Tensor, what: string): Uint8Array {
  if (t.dtype === "uint8") return Uint8Array.from(t.data);
  const floats = floatsOf(t);
  if (floats === undefined) throw new FormatError(`${what}: expected uint8 or floats in [0, 1], got ${t.dtype}.`);
  const wrong = floats.find((value) => !(value >= 0 && value <= 1));
  if (wrong !== undefined) {
    throw new FormatError(`${what}: expected floats in [0, 1], got ${wrong}. Do scale them, or save bytes as uint8.`);
  }
  return bytesFromUnit(float32([floats.length], floats));
}

function floatsOf(t: Tensor): Float32Array | undefined {
  if (t.dtype === "float16") return floatsFromFloat16(t.data);
  if (t.dtype === "float32" || t.dtype === "float64") return Float32Array.from((t as TensorOf<"float32">).data);
  return undefined;
}

function planesOf(samples: Uint8Array, channels: number): Uint8Array {
  const plane = samples.length / channels;
  return samples.map((_, i) => samples[(i % plane) * channels + Math.floor(i / plane)] ?? 0);
}
