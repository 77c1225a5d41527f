/** @file What a model's input says about images, and the refusal of images that do not fit. */
import { ShapeError } from "../core/errors.ts";
import { formatDims, imageDims } from "../tensor/shape.ts";
import type { Classifier } from "./classifier.ts";

/** Order of a model's axes: channels first, or channels last. */
export type Layout = "NCHW" | "NHWC";

/** The axes of an image input; a missing number means any. */
export interface ImageInput {
  readonly layout: Layout;
  readonly batch: number | undefined;
  readonly channels: number | undefined;
  readonly height: number | undefined;
  readonly width: number | undefined;
}

/** Channel counts that mark an axis as channels: grey, colour, colour with transparency. */
const CHANNELS = [1, 3, 4];

/**
 * Reads the dims of an input. Channels are the second axis unless only the last one can be channels, or `layout` says.
 * @param dims positive numbers are fixed, anything else (symbols, -1) is free; none at all means nothing is known.
 * @returns undefined when the rank is not 4, so that it is no image input.
 */
export function readImageInput(dims: readonly (number | string)[], layout: Layout | undefined): ImageInput | undefined {
  if (dims.length !== 0 && dims.length !== 4) return undefined;
  const [batch, second, third, last] = dims.map((dim) => (typeof dim === "number" && dim > 0 ? dim : undefined));
  const isChannels = (dim: number | undefined): boolean => dim !== undefined && CHANNELS.includes(dim);
  return (layout ?? (isChannels(last) && !isChannels(second) ? "NHWC" : "NCHW")) === "NCHW"
    ? { layout: "NCHW", batch, channels: second, height: third, width: last }
    : { layout: "NHWC", batch, channels: last, height: second, width: third };
}

/** Images of one fixed batch, and numbers in it, that a model may ask for: its word alone must not fill the memory. */
const MOST_ROWS = 4096;
const MOST_VALUES = 2 ** 28;

/** What is wrong with the size of an input, in words; undefined when it is within bounds. */
export function oversized({ batch = 1, channels = 1, height = 1, width = 1 }: ImageInput): string | undefined {
  if (batch > MOST_ROWS) return `a batch of at most ${MOST_ROWS} images, got ${batch}`;
  const values = batch * channels * height * width;
  return values > MOST_VALUES ? `an input of at most ${MOST_VALUES} numbers, got ${values}` : undefined;
}

/**
 * The input of a {@link Classifier} without the numbers that are not known.
 */
export function knownInput({ channels, height, width }: ImageInput): Classifier["input"] {
  return {
    ...(channels === undefined ? {} : { channels }),
    ...(height === undefined ? {} : { height }),
    ...(width === undefined ? {} : { width }),
  };
}

/**
 * Refuses images that a classifier does not take.
 * @throws ShapeError with both numbers and the way out.
 */
export function checkImages(dims: readonly number[], input: Classifier["input"]): void {
  const { c, h, w } = imageDims("classifier", dims);
  const { channels = c, height = h, width = w } = input;
  if (c !== channels) {
    throw new ShapeError(
      `classifier: expected images with ${channels} ${channels === 1 ? "channel" : "channels"}, got ${c} in ${formatDims(dims)}. Do convert them with --channels.`,
    );
  }
  if (h !== height || w !== width) {
    throw new ShapeError(
      `classifier: expected images of ${height}x${width} pixels, got ${h}x${w}. Do resize them with --fit.`,
    );
  }
}
