/**
 * @file What data sets need to be lent: decoders of pictures and of pickles, which live in rooms that this one does not
 * know. The faces put them together.
 */
import { MissingDependencyError } from "../core/errors.ts";

/** A picture as 8-bit pixels, one plane after the other. */
export interface DecodedPicture {
  readonly channels: 1 | 3;
  readonly height: number;
  readonly width: number;
  readonly pixels: Uint8Array;
}

/** How a picture is to come. */
export interface PictureWish {
  /** Grey or colour, the one made of the other where needed; as it is when left out. */
  readonly channels?: 1 | 3;
  /** Most pixels (width times height) that are decoded. */
  readonly maxPixels: number;
  /** What transparent pixels are laid on: three 8-bit values; without it, transparency is refused. */
  readonly background?: readonly [number, number, number];
}

/** Decodes a picture. @param name what to call it in messages. @throws FormatError when it is damaged or none. */
export type PictureDecoder = (bytes: Uint8Array, name: string, wish: PictureWish) => Promise<DecodedPicture>;

/**
 * Reads a pickle without running it: dicts as maps, lists and tuples as arrays, numpy's arrays as tensors.
 * @throws FormatError when it asks for anything else.
 */
export type PickleReader = (bytes: Uint8Array, name: string) => unknown;

/** The decoders that a face lends. */
export interface Decoders {
  readonly picture?: PictureDecoder | undefined;
  readonly pickle?: PickleReader | undefined;
}

/**
 * The decoder that a data set cannot do without.
 * @throws MissingDependencyError when it was not lent.
 */
export function needDecoder<K extends keyof Decoders>(
  decoders: Decoders | undefined,
  kind: K,
  name: string,
): NonNullable<Decoders[K]> {
  const decoder = decoders?.[kind];
  if (decoder !== undefined) return decoder;
  throw new MissingDependencyError(
    `${name}: expected a decoder for its ${kind}s, got none. Do pass decoders: { ${kind} } when reading it.`,
  );
}
