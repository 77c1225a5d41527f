/**
 * @file Pictures on Node: plain PNGs through Node's own zlib, everything else through sharp, which is loaded when the
 * first such picture comes.
 */
import { deflate, deflateSync, inflateSync } from "node:zlib";
import type { SharpOptions } from "sharp";
import { FormatError, MissingDependencyError, messageOf } from "../core/errors.ts";
import { layOnInto, planesFromSamplesInto, smallestSample, upperBytes } from "./kernels.ts";
import { checkPixels, type PictureLimits, pictureKind } from "./limits.ts";
import type { Picture } from "./picture.ts";
import { decodePlainPng, encodePlainPng, pngOf, scanlinesOf, type Zlib } from "./png.ts";

/** How a picture is decoded. */
export interface DecodeOptions extends PictureLimits {
  /** The colour, three 8-bit values, that transparent pixels are laid on; refused when left out. */
  readonly background?: readonly [number, number, number] | undefined;
}

/** Pictures up to this many bytes of pixels are packed in place; larger ones on a thread of the pool. */
const inPlace = 2 ** 17;

const nodeZlib: Zlib = {
  deflate: (bytes) => deflateSync(bytes, { level: 1 }),
  inflate: (bytes, size) => inflateSync(bytes, { maxOutputLength: size }),
};

/**
 * Decodes a PNG, JPEG, WebP or TIFF (of several pages or frames the first), whatever the file is called.
 *
 * Grey stays one channel, everything else becomes RGB. 16 bits are cut to the upper 8, EXIF orientation is applied, and
 * colour profiles are ignored, as the decoders in front of classifiers do. An opaque alpha channel is dropped; a picture
 * with transparent pixels is refused unless a background is given, because what it shows depends on who lays it on what.
 * @param name the picture's name, also for messages.
 * @throws FormatError when it is none of these, truncated, damaged, transparent, of more than 16 bits, or over a limit;
 * MissingDependencyError when it is not a plain PNG and sharp is not installed.
 */
export async function decodePicture(bytes: Uint8Array, name: string, limits: DecodeOptions = {}): Promise<Picture> {
  const kind = pictureKind(bytes, name, limits);
  const plain = kind === "png" ? decodePlainPng(bytes, name, { ...limits, zlib: nodeZlib }) : undefined;
  return plain ?? decodeWithSharp(bytes, name, limits);
}

/** A picture as PNG: 8 bits, grey or RGB, no metadata; the same picture gives the same bytes. */
export async function encodePng(picture: Picture): Promise<Uint8Array> {
  if (picture.pixels.length <= inPlace) return encodePlainPng(picture, nodeZlib);
  const lines = scanlinesOf(picture);
  const deflated = await new Promise<Uint8Array>((resolve, reject) => {
    deflate(lines, { level: 1 }, (error, result) => (error === null ? resolve(result) : reject(error)));
  });
  return pngOf(picture, deflated);
}

async function decodeWithSharp(bytes: Uint8Array, name: string, limits: DecodeOptions): Promise<Picture> {
  const open = await loadSharp();
  const options: SharpOptions = {
    failOn: "error",
    // Checked below, with the numbers; nothing is decoded before.
    limitInputPixels: false,
    pages: 1,
    ignoreIcc: true,
    autoOrient: true,
  };
  try {
    const source = open(bytes, options);
    const { width, height, space, depth, channels } = await source.metadata();
    checkPixels(name, width, height, limits);
    if ((depth !== "uchar" && depth !== "ushort") || channels > 4) {
      throw new FormatError(
        `${name}: expected 1 to 4 channels of 8 or 16 bits, got ${channels} of ${depth}. Do convert it to PNG first.`,
      );
    }
    const { background } = limits;
    // On a coloured ground, a transparent grey picture is no longer grey.
    const grey = (space === "b-w" || space === "grey16") && (background === undefined || channels % 2 === 1);
    const wide = depth === "ushort";
    const { data, info } = await source
      .toColourspace(wide ? (grey ? "grey16" : "rgb16") : grey ? "b-w" : "srgb")
      .raw({ depth: wide ? "ushort" : "uchar" })
      .toBuffer({ resolveWithObject: true });
    const samples = wide ? upperBytes(data) : data;
    const { height: rows, width: columns, channels: stride } = info;
    return fromSamples(name, samples, { grey, height: rows, width: columns, stride, background });
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    throw new FormatError(
      `${name}: expected a whole picture, got one that does not decode; because ${firstLine(cause)}.`,
      {
        cause,
      },
    );
  }
}

interface SampleLayout {
  readonly grey: boolean;
  readonly height: number;
  readonly width: number;
  /** Samples per pixel. */
  readonly stride: number;
  readonly background: DecodeOptions["background"];
}

function fromSamples(
  name: string,
  samples: Uint8Array,
  { grey, height, width, stride, background }: SampleLayout,
): Picture {
  const channels = grey ? 1 : 3;
  if (background !== undefined && stride === 4) layOnInto(samples, background);
  else if (stride > channels && smallestSample(samples, stride - 1, stride) < 255) {
    throw new FormatError(`${name}: expected an opaque picture, got transparent pixels. Do flatten it first.`);
  }
  const pixels = new Uint8Array(channels * height * width);
  planesFromSamplesInto(pixels, samples, channels, stride);
  return { name, channels, height, width, pixels };
}

type SharpModule = typeof import("sharp")["default"];
let loading: Promise<SharpModule> | undefined;

function loadSharp(): Promise<SharpModule> {
  loading ??= import("sharp").then(
    ({ default: sharp }) => {
      // Inference owns the cores, and no picture is decoded twice.
      sharp.concurrency(1);
      sharp.cache(false);
      return sharp;
    },
    (cause: unknown) => {
      throw new MissingDependencyError(
        `images: expected the package sharp for this kind of picture, got none that loads; because ${firstLine(cause)}. Do run "npm install sharp@0.35.5", or convert the picture to 8-bit PNG.`,
        { cause },
      );
    },
  );
  return loading;
}

/** What libvips says over several lines, in one. */
function firstLine(error: unknown): string {
  return messageOf(error)
    .trim()
    .replaceAll(/\s*\n\s*/g, ", ")
    .replace(/\.$/, "");
}
