/** @file Encoded pictures of a request as one batch, and a batch as PNGs. */
import { FormatError } from "../core/errors.ts";
import { decodePicture, encodePng } from "../images/node.ts";
import { type Picture, picturesFromTensor, tensorFromPictures } from "../images/picture.ts";
import { preparePicture } from "../jobs/prepare.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import { checkCounts, type ImageForm } from "./pixels.ts";

/**
 * Decodes the pictures of a request, one after the other, so that one request never holds more than its own pixels.
 * @param input who holds them, for messages.
 * @throws FormatError for bytes that are no picture, ShapeError for pictures that do not fit or are over the limits.
 */
export async function decodePictures(
  input: string,
  files: readonly Uint8Array[],
  form: ImageForm,
): Promise<Float32Tensor> {
  checkCounts(input, { images: files.length, pixels: 0 }, form);
  const pictures: Picture[] = [];
  let left = form.limits.pixels;
  for (const [i, bytes] of files.entries()) {
    if (left < 1) checkCounts(input, { images: files.length, pixels: form.limits.pixels + 1 }, form);
    const picture = await decodePicture(bytes, `${input} ${i}`, { maxPixels: left });
    left -= picture.width * picture.height;
    pictures.push(preparePicture(picture, form.needs, form.consent));
  }
  return tensorFromPictures(pictures);
}

/** Images [N, C, H, W] as PNGs. */
export async function encodePictures(images: Float32Tensor): Promise<Uint8Array[]> {
  const names = Array.from({ length: images.dims[0] ?? 0 }, (_, i) => String(i));
  return await Promise.all(picturesFromTensor(images, names).map(encodePng));
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Bytes of a base64 text. @throws FormatError when it is none. */
export function fromBase64(text: string, subject: string): Uint8Array {
  if (text.length % 4 !== 0 || !BASE64.test(text)) {
    throw new FormatError(`${subject}: expected base64, got ${text.length} characters that are none.`);
  }
  return Buffer.from(text, "base64");
}
