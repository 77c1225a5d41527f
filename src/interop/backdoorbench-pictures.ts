/** @file The poisoned pictures beside a result of BackdoorBench, as images with both their labels. */
import type { ByteSource } from "../core/byte-source.ts";
import { FormatError } from "../core/errors.ts";
import type { LabelledImages } from "../data/dataset.ts";
import { type DecodedPicture, type Decoders, needDecoder } from "../data/decoders.ts";
import { pictureRows } from "../data/picture-rows.ts";
import type { BackdoorBenchResult, PoisonedPart } from "./backdoorbench.ts";

/** Poisoned images: labels are the attacker's. */
export interface PoisonedImages extends LabelledImages {
  /** What each image shows. */
  readonly originalLabels: Uint16Array;
  /** Where each is in the part. */
  readonly indices: Int32Array;
}

/** How pictures are read. */
export interface PictureReading {
  readonly decoders: Decoders;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Decodes the poisoned pictures of a part.
 * @param source the folder of the result.
 * @throws InputError when a picture is missing, FormatError when it is damaged or of another size.
 */
export async function readPoisonedImages(
  { items }: PoisonedPart,
  source: ByteSource,
  {
    decoders,
    signal,
    dims,
  }: PictureReading & { readonly dims: NonNullable<BackdoorBenchResult["model"]["imageSize"]> },
): Promise<PoisonedImages> {
  const decode = needDecoder(decoders, "picture", "BackdoorBench");
  const wish = { channels: dims.channels === 1 ? 1 : 3, maxPixels: 2 ** 24 } as const;
  const load = async (i: number): Promise<DecodedPicture> => {
    const { path } = items[i] ?? { path: "" };
    const picture = await decode(await source(path, signal), path, wish);
    if (picture.height === dims.height && picture.width === dims.width) return picture;
    throw new FormatError(
      `${path}: expected ${dims.height}x${dims.width} pixels as img_size says, got ${picture.height}x${picture.width}.`,
    );
  };
  return {
    images: await pictureRows(items.length, load, { dims, name: "bd_dataset", signal, onProgress: undefined }),
    labels: Uint16Array.from(items, ({ label }) => label),
    originalLabels: Uint16Array.from(items, ({ originalLabel }) => originalLabel),
    indices: Int32Array.from(items, ({ index }) => index),
  };
}
