/** @file Pictures in a browser tab or worker: plain PNGs by our own reader, everything else by the browser's. */
import { FormatError, messageOf } from "../core/errors.ts";
import { readHeader } from "./header.ts";
import { planesFromSamplesInto, smallestSample } from "./kernels.ts";
import { checkPixels, type PictureLimits, pictureKind } from "./limits.ts";
import type { Picture } from "./picture.ts";
import { decodePlainPng, encodePlainPng } from "./png.ts";

/** What is used of the browser, so that this file also type-checks where there is none. */
interface Browser {
  readonly Blob: new (parts: readonly Uint8Array[]) => object;
  createImageBitmap(blob: object, options: Readonly<Record<string, string>>): Promise<Bitmap>;
  readonly OffscreenCanvas: new (width: number, height: number) => { getContext(kind: "2d"): Context2d | null };
}

interface Bitmap {
  readonly width: number;
  readonly height: number;
  close(): void;
}

interface Context2d {
  drawImage(bitmap: Bitmap, x: number, y: number): void;
  getImageData(x: number, y: number, width: number, height: number): { readonly data: ArrayLike<number> };
}

/**
 * Decodes a picture as `images/node` does, as far as the browser can: PNG, JPEG and WebP everywhere, TIFF in few. JPEG
 * decoders differ by a few grey levels; plain PNGs are exact.
 * @throws FormatError as `images/node` does.
 */
export async function decodePicture(bytes: Uint8Array, name: string, limits: PictureLimits = {}): Promise<Picture> {
  const kind = pictureKind(bytes, name, limits);
  const plain = kind === "png" ? decodePlainPng(bytes, name, limits) : undefined;
  if (plain !== undefined) return plain;
  const header = readHeader(bytes, kind);
  if (header !== undefined) checkPixels(name, header.width, header.height, limits);
  const { samples, width, height } = await samplesOf(bytes, name, limits);
  if (smallestSample(samples, 3, 4) < 255) {
    throw new FormatError(`${name}: expected an opaque picture, got transparent pixels. Do flatten it first.`);
  }
  const channels = header?.grey === true ? 1 : 3;
  const pixels = new Uint8Array(channels * height * width);
  planesFromSamplesInto(pixels, samples, channels, 4);
  return { name, channels, height, width, pixels };
}

/** A picture as PNG: 8 bits, grey or RGB, no metadata. */
export async function encodePng(picture: Picture): Promise<Uint8Array> {
  return encodePlainPng(picture);
}

async function samplesOf(
  bytes: Uint8Array,
  name: string,
  limits: PictureLimits,
): Promise<{ samples: Uint8Array; width: number; height: number }> {
  const browser = globalThis as unknown as Browser;
  let bitmap: Bitmap;
  try {
    bitmap = await browser.createImageBitmap(new browser.Blob([bytes]), {
      premultiplyAlpha: "none",
      colorSpaceConversion: "none",
      imageOrientation: "from-image",
    });
  } catch (cause) {
    throw new FormatError(
      `${name}: expected a whole picture, got one that does not decode; because ${messageOf(cause)}`,
      {
        cause,
      },
    );
  }
  try {
    const { width, height } = bitmap;
    checkPixels(name, width, height, limits);
    const context = new browser.OffscreenCanvas(width, height).getContext("2d");
    if (context === null) throw new FormatError(`${name}: expected a canvas to read pixels from, got none.`);
    context.drawImage(bitmap, 0, 0);
    return { samples: Uint8Array.from(context.getImageData(0, 0, width, height).data), width, height };
  } finally {
    bitmap.close();
  }
}
