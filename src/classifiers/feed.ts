/** @file Images in [0, 1] as the tensor that a model takes: normalised, laid out, typed and padded in one pass. */
import { OptionError } from "../core/errors.ts";
import { float16FromFloats } from "../tensor/half.ts";
import { imageDims } from "../tensor/shape.ts";
import type { Float32Tensor, TensorOf } from "../tensor/tensor.ts";
import type { Layout } from "./image-input.ts";
import { packInto } from "./kernels.ts";
import { type Preprocessing, UNIT_RANGE } from "./preprocessing.ts";

/** Element types that an image input may have. */
export const feedTypes = ["float32", "float16", "uint8"] as const;

/** One of {@link feedTypes}. */
export type FeedType = (typeof feedTypes)[number];

/** What a model takes. */
export interface FeedFormat {
  readonly dtype: FeedType;
  readonly layout: Layout;
  readonly preprocessing: Preprocessing;
}

/** A tensor of one of the feed types. */
export type Feed = { [D in FeedType]: TensorOf<D> }[FeedType];

/**
 * The preprocessing of a model that takes bytes: 0..255, nothing else fits into them.
 * @throws OptionError when the stated one normalises.
 */
export function bytePreprocessing(stated: Preprocessing = UNIT_RANGE): Preprocessing {
  const isRange = stated.gain.every((gain) => gain === 1 || gain === 255) && stated.shift.every((shift) => shift === 0);
  if (!isRange) {
    throw new OptionError(
      `preprocessing: expected none for an input of type uint8, which takes pixels 0 to 255, got a mean or deviation. Do give --mean 0 --std 1.`,
    );
  }
  return { ...stated, gain: [255] };
}

/**
 * Makes the feed of a batch.
 * @param images float32 [N, C, H, W] in [0, 1]. @param rows how many rows the feed has; those beyond N are zero.
 * @returns the images' own memory when nothing is to be done.
 * @throws OptionError when mean or deviation are given for another number of channels.
 */
export function makeFeed(images: Float32Tensor, { dtype, layout, preprocessing }: FeedFormat, rows: number): Feed {
  const { n, c, h, w } = imageDims("classifier", images.dims);
  const { gain, shift, reverse } = preprocessing;
  if (gain.length !== 1 && gain.length !== c) {
    throw new OptionError(`preprocessing: expected mean and std of 1 or ${c} channels, got ${gain.length}.`);
  }
  const channelsLast = layout === "NHWC";
  const dims = channelsLast ? [rows, h, w, c] : [rows, c, h, w];
  const asTheyAre = gain.every((value) => value === 1) && shift.every((value) => value === 0) && !reverse;
  if (dtype === "float32" && asTheyAre && rows === n && (!channelsLast || c === 1)) {
    return { dtype, dims, data: images.data };
  }
  const plan = {
    channels: c,
    plane: h * w,
    gain: Float64Array.from({ length: c }, (_, i) => gain[i] ?? gain[0] ?? 1),
    shift: Float64Array.from({ length: c }, (_, i) => shift[i] ?? shift[0] ?? 0),
    reverse,
    channelsLast,
  };
  const size = rows * c * h * w;
  if (dtype === "uint8") {
    const data = new Uint8ClampedArray(size);
    packInto(data, images.data, plan);
    return { dtype, dims, data: new Uint8Array(data.buffer) };
  }
  const data = new Float32Array(size);
  packInto(data, images.data, plan);
  return dtype === "float16" ? { dtype, dims, data: float16FromFloats(data) } : { dtype, dims, data };
}
