/** @file What the header of a PNG or JPEG says about size and colour, for hosts whose decoder hides it. */
import type { PictureKind } from "./limits.ts";

/** Size before rotation, and whether there is no colour. */
export interface PictureHeader {
  readonly width: number;
  readonly height: number;
  readonly grey: boolean;
}

/** Reads the header of a PNG or JPEG; undefined for other kinds, and for files that end before it. */
export function readHeader(bytes: Uint8Array, kind: PictureKind): PictureHeader | undefined {
  if (kind === "png") return readPngHeader(bytes);
  return kind === "jpeg" ? readJpegHeader(bytes) : undefined;
}

/** @source PNG (Third Edition), section 11.2.1: colour types 0 and 4 are grey. */
function readPngHeader(bytes: Uint8Array): PictureHeader | undefined {
  if (bytes.length < 26) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const colour = view.getUint8(25);
  return { width: view.getUint32(16), height: view.getUint32(20), grey: colour === 0 || colour === 4 };
}

/** Walks the segments up to the frame header. @source ITU-T T.81, sections B.1.1 and B.2.2. */
function readJpegHeader(bytes: Uint8Array): PictureHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 2; at + 10 <= bytes.length; ) {
    if (view.getUint8(at) !== 0xff) return undefined;
    const marker = view.getUint8(at + 1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) {
      return { height: view.getUint16(at + 5), width: view.getUint16(at + 7), grey: view.getUint8(at + 9) === 1 };
    }
    // A fill byte stands alone; every other segment before the frame has a length.
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
  return undefined;
}
