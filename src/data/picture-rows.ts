/** @file Pictures of many files as the rows of one tensor: decoded a few at a time, brought to one size. */
import { FormatError } from "../core/errors.ts";
import { bytesFromUnit, unitFromBytes } from "../tensor/image-bytes.ts";
import { resize } from "../tensor/resize.ts";
import type { TensorOf } from "../tensor/tensor.ts";
import type { ImageDims } from "./dataset.ts";
import type { DecodedPicture } from "./decoders.ts";

/** Pictures that are decoded at the same time. */
const AHEAD = 16;
/** Most bytes of one tensor: the longest buffer that every engine has. */
const MOST_BYTES = 2 ** 32;

/** What the rows are to be, and how far they are. */
export interface PictureRows {
  readonly dims: ImageDims;
  /** What to call all of it in messages. */
  readonly name: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Loads pictures 0 to `count - 1` into uint8 [count, C, H, W]. A picture of another size is resized (bilinear, the
 * filter widened when shrinking; the aspect ratio is not kept).
 * @param load gives a picture of as many channels as `dims`.
 * @throws what `load` throws; FormatError when the rows would not fit into memory; the signal's reason when aborted.
 */
export async function pictureRows(
  count: number,
  load: (row: number) => Promise<DecodedPicture>,
  { dims, name, signal, onProgress }: PictureRows,
): Promise<TensorOf<"uint8">> {
  const { channels, height, width } = dims;
  const size = channels * height * width;
  if (count * size > MOST_BYTES) {
    throw new FormatError(
      `${name}: expected images that fit ${MOST_BYTES} bytes, got ${count} of ${size}. Do choose fewer or a smaller size.`,
    );
  }
  const data = new Uint8Array(count * size);
  let next = 0;
  let done = 0;
  const worker = async (): Promise<void> => {
    try {
      while (next < count) {
        signal?.throwIfAborted();
        const row = next++;
        data.set(fitted(await load(row), dims), row * size);
        onProgress?.(++done, count);
      }
    } catch (error) {
      next = count; // the others need not go on
      throw error;
    }
  };
  await Promise.all(Array.from({ length: Math.min(AHEAD, count) }, worker));
  return { dtype: "uint8", dims: [count, channels, height, width], data };
}

/** The pixels of a picture in the given size. */
function fitted({ pixels, ...picture }: DecodedPicture, { channels, height, width }: ImageDims): Uint8Array {
  if (picture.channels !== channels) {
    throw new RangeError(`internal: a picture of ${picture.channels} channels, wanted ${channels}`);
  }
  if (picture.height === height && picture.width === width) return pixels;
  const images = unitFromBytes([1, channels, picture.height, picture.width], pixels);
  return bytesFromUnit(resize(images, height, width, { antialias: true }));
}
