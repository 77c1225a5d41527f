/** @file A client's numbers as images in [0, 1], and images as such numbers again. */
import { bytePreprocessing, type FeedType, makeFeed } from "../classifiers/feed.ts";
import { type Layout, readImageInput } from "../classifiers/image-input.ts";
import type { Preprocessing } from "../classifiers/preprocessing.ts";
import { FormatError, ShapeError } from "../core/errors.ts";
import type { PictureConsent, PictureNeeds } from "../jobs/prepare.ts";
import { elementCount, formatDims } from "../tensor/shape.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import { unpackInto } from "./kernels.ts";

/** Element types in which clients send pixels. */
export type PixelType = FeedType | "float64";

/** What images look like in the requests for a model. */
export interface ImageForm {
  /** Name of the input that holds them; the one that looks like images when left out. */
  readonly input: string | undefined;
  readonly layout: Layout | undefined;
  /** How clients prepare float pixels. */
  readonly preprocessing: Preprocessing;
  /** What the purifier takes. */
  readonly needs: PictureNeeds;
  /** What may be done to encoded pictures so that they fit. */
  readonly consent: PictureConsent;
  readonly limits: {
    /** Images in one request. */
    readonly images: number;
    /** Pixels of all images of one request, channels not counted. */
    readonly pixels: number;
  };
}

/** Numbers of a request. */
export interface Samples {
  readonly name: string;
  readonly type: PixelType;
  readonly dims: readonly number[];
  readonly values: ArrayLike<number>;
}

/** Images of a request, and the way back. */
export interface UnitImages {
  /** float32 [N, C, H, W] in [0, 1] */
  readonly images: Float32Tensor;
  readonly layout: Layout;
}

/** Prepared pixels were divided by a deviation and rounded to 16 bits: what misses [0, 1] by so little is on its edge. */
const TOLERANCE = 2e-3;

/**
 * Reads images.
 * @throws ShapeError for dims that do not fit or are over the limits, FormatError for numbers outside the range of pixels.
 */
export function unitImages({ name, type, dims, values }: Samples, form: ImageForm): UnitImages {
  const subject = `input "${name.slice(0, 80)}"`;
  const axes = readImageInput(dims, form.layout ?? likelyLayout(dims, form.needs));
  if (dims.length !== 4 || axes === undefined) {
    throw new ShapeError(`${subject}: expected images of 4 axes, got ${formatDims(dims.slice(0, 16))}.`);
  }
  const { layout, batch = 0, channels = 0, height = 0, width = 0 } = axes;
  checkCounts(subject, { images: batch, pixels: batch * height * width }, form);
  checkSize(subject, { channels, height, width }, form.needs);
  if (elementCount(dims) === 0) throw new ShapeError(`${subject}: expected pixels, got ${formatDims(dims)}.`);
  const { gain, shift } = type === "uint8" ? bytePreprocessing() : form.preprocessing;
  const images = float32([batch, channels, height, width]);
  const plan = {
    channels,
    plane: height * width,
    gain: Float64Array.from({ length: channels }, (_, c) => gain[c] ?? gain[0] ?? 1),
    shift: Float64Array.from({ length: channels }, (_, c) => shift[c] ?? shift[0] ?? 0),
    channelsLast: layout === "NHWC",
  };
  const odd = unpackInto(images.data, values, plan, TOLERANCE);
  if (odd >= 0) {
    const value = values[odd];
    const plain = gain.every((each) => each === 1) && shift.every((each) => each === 0);
    const range = plain ? "pixels from 0 to 1" : "pixels as this model's mean and std prepare them";
    throw new FormatError(`${subject}: expected ${range}, got ${value} at position ${odd}.`);
  }
  return { images, layout };
}

/** Images as a client's numbers; the inverse of {@link unitImages}, rounded where the type asks for it. */
export function samplesOf(
  images: Float32Tensor,
  { type, layout, form }: { readonly type: PixelType; readonly layout: Layout; readonly form: ImageForm },
): Float32Array | Float64Array | Uint16Array | Uint8Array {
  const dtype = type === "float64" ? "float32" : type;
  const preprocessing = type === "uint8" ? bytePreprocessing() : form.preprocessing;
  const { data } = makeFeed(images, { dtype, layout, preprocessing }, images.dims[0] ?? 0);
  return type === "float64" ? Float64Array.from(data) : data;
}

/** @throws ShapeError for no images, or for more images or pixels than one request may have. */
export function checkCounts(
  subject: string,
  { images, pixels }: { readonly images: number; readonly pixels: number },
  { limits }: ImageForm,
): void {
  if (images < 1) throw new ShapeError(`${subject}: expected at least one image, got none.`);
  if (images > limits.images) {
    throw new ShapeError(
      `${subject}: expected at most ${limits.images} images, got ${images}. Do send smaller batches.`,
    );
  }
  if (pixels > limits.pixels) {
    throw new ShapeError(
      `${subject}: expected at most ${limits.pixels} pixels in a request, got ${pixels}. Do send smaller batches.`,
    );
  }
}

function checkSize(subject: string, got: Required<PictureNeeds>, needs: PictureNeeds): void {
  const { channels = got.channels, height = got.height, width = got.width } = needs;
  if (channels === got.channels && height === got.height && width === got.width) return;
  const text = ({ channels: c, height: h, width: w }: Required<PictureNeeds>): string =>
    `${c} ${c === 1 ? "channel" : "channels"} of ${w} x ${h} pixels`;
  throw new ShapeError(`${subject}: expected images with ${text({ channels, height, width })}, got ${text(got)}.`);
}

/** The order of axes in which the numbers fit the model, where only one does. */
function likelyLayout([, second, , last]: readonly number[], { channels }: PictureNeeds): Layout | undefined {
  if (channels === undefined || second === last) return undefined;
  if (last === channels) return "NHWC";
  return second === channels ? "NCHW" : undefined;
}
