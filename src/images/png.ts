/**
 * @file PNG, the plain kind: 8-bit grey or RGB without interlacing. It is what this toolkit writes and what data sets
 * are mostly made of; small pictures pass ten times faster than through a general codec, and a browser reads back what
 * was written, bit by bit. Other kinds of PNG are not for this file: {@link decodePlainPng} says so.
 *
 * @source Portable Network Graphics (PNG) Specification (Third Edition), sections 5, 7, 9 and 11.
 */
import { Unzlib, zlibSync } from "fflate";
import { FormatError } from "../core/errors.ts";
import { crc32, planesFromScanlinesInto, scanlinesFromPlanesInto, unfilterScanlines } from "./kernels.ts";
import { checkPixels, type PictureLimits } from "./limits.ts";
import type { Picture } from "./picture.ts";

/** Both directions of the zlib format; a host may have a faster one than {@link portableZlib}. */
export interface Zlib {
  deflate(bytes: Uint8Array): Uint8Array;
  /** @param size the most bytes that may come out. @throws anything when the data are damaged. */
  inflate(bytes: Uint8Array, size: number): Uint8Array;
}

const inflateSlice = 2 ** 16;

/** zlib in JavaScript. */
export const portableZlib: Zlib = {
  deflate: (bytes) => zlibSync(bytes, { level: 1 }),
  inflate(bytes, size) {
    const out = new Uint8Array(size);
    let filled = 0;
    const stream = new Unzlib((part) => {
      // Stops a bomb at the first slice too many.
      if (filled + part.length > size) throw new RangeError(`more than ${size} bytes come out`);
      out.set(part, filled);
      filled += part.length;
    });
    for (let from = 0; from < bytes.length; from += inflateSlice) {
      stream.push(bytes.subarray(from, from + inflateSlice), from + inflateSlice >= bytes.length);
    }
    return out.subarray(0, filled);
  },
};

const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/** Chunks that do not change pixels; colour profiles are among them, since classifiers do not read them either. */
const ignored = new Set("bKGD cHRM cICP gAMA hIST iCCP iTXt pHYs sBIT sRGB tEXt tIME zTXt".split(" "));

/** Deflate makes nothing more than 1032 times smaller: a header that claims more is lying. */
const mostDeflated = 1032;

/** A picture as PNG: 8 bits, grey or RGB, no metadata. The same picture and zlib give the same bytes. */
export function encodePlainPng(picture: Picture, zlib: Zlib = portableZlib): Uint8Array {
  return pngOf(picture, zlib.deflate(scanlinesOf(picture)));
}

/** The filtered scanlines of a picture, which are what a PNG deflates. */
export function scanlinesOf({ channels, height, width, pixels }: Picture): Uint8Array {
  const lines = new Uint8Array(height * (1 + channels * width));
  scanlinesFromPlanesInto(lines, pixels, channels, width);
  return lines;
}

/** A PNG around deflated scanlines. */
export function pngOf({ channels, height, width }: Picture, deflated: Uint8Array): Uint8Array {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, channels === 1 ? 0 : 2, 0, 0, 0], 8);
  const chunks = [chunk("IHDR", header), chunk("IDAT", deflated), chunk("IEND", new Uint8Array())];
  const png = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, signature.length));
  png.set(signature);
  let offset = signature.length;
  for (const bytes of chunks) {
    png.set(bytes, offset);
    offset += bytes.length;
  }
  return png;
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) bytes[4 + i] = type.charCodeAt(i);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

/** What a plain PNG consists of, before anything is inflated. */
interface PlainPng {
  readonly channels: 1 | 3;
  readonly height: number;
  readonly width: number;
  readonly deflated: Uint8Array;
}

/**
 * Decodes a plain PNG.
 * @param bytes a file that begins with PNG's signature. @param name the picture's name, also for messages.
 * @returns undefined when it is another kind of PNG (palette, alpha, 16 bits, interlaced, orientation tag).
 * @throws FormatError when it is truncated, damaged or over the limits.
 */
export function decodePlainPng(
  bytes: Uint8Array,
  name: string,
  options: PictureLimits & { readonly zlib?: Zlib } = {},
): Picture | undefined {
  const png = readChunks(bytes, name, options);
  if (png === undefined) return undefined;
  const { channels, height, width, deflated } = png;
  const length = 1 + channels * width;
  const expected = height * length;
  if (expected > mostDeflated * deflated.length + mostDeflated) {
    throw damaged(name, `${deflated.length} bytes, which cannot hold ${width} x ${height} pixels`);
  }
  const lines = inflate(name, deflated, expected, options.zlib ?? portableZlib);
  if (!unfilterScanlines(lines, channels, length)) throw damaged(name, "a scanline with an unknown filter");
  const pixels = new Uint8Array(channels * height * width);
  planesFromScanlinesInto(pixels, lines, channels, width);
  return { name, channels, height, width, pixels };
}

function inflate(name: string, deflated: Uint8Array, expected: number, zlib: Zlib): Uint8Array {
  let lines: Uint8Array;
  try {
    lines = zlib.inflate(deflated, expected);
  } catch (cause) {
    throw damaged(name, "pixels that do not inflate", cause);
  }
  if (lines.length !== expected) throw damaged(name, `${lines.length} of ${expected} bytes of pixels`);
  return lines;
}

function readChunks(bytes: Uint8Array, name: string, limits: PictureLimits): PlainPng | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data: Uint8Array[] = [];
  let header: Omit<PlainPng, "deflated"> | undefined;
  for (let offset = signature.length; ; ) {
    if (offset + 12 > bytes.length) throw damaged(name, `an end after ${bytes.length} bytes, inside a chunk`);
    const length = view.getUint32(offset);
    if (offset + 12 + length > bytes.length) {
      throw damaged(name, `an end after ${bytes.length} of at least ${offset + 12 + length} bytes`);
    }
    const type = String.fromCharCode(...bytes.subarray(offset + 4, offset + 8));
    const body = bytes.subarray(offset + 8, offset + 8 + length);
    if (header === undefined) {
      if (type !== "IHDR" || length !== 13) throw damaged(name, `a first chunk "${type}" of ${length} bytes`);
      header = readHeader(body, name, limits);
      if (header === undefined) return undefined;
    } else if (type === "IDAT") data.push(body);
    else if (type !== "IEND" && !ignored.has(type)) return undefined;
    if (view.getUint32(offset + 8 + length) !== crc32(bytes.subarray(offset + 4, offset + 8 + length))) {
      throw damaged(name, `a wrong check sum of chunk "${type}"`);
    }
    if (type === "IEND") return { ...header, deflated: join(data) };
    offset += 12 + length;
  }
}

function readHeader(body: Uint8Array, name: string, limits: PictureLimits): Omit<PlainPng, "deflated"> | undefined {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  checkPixels(name, width, height, limits);
  const [depth, colour, compression, filter, interlace] = body.subarray(8);
  if (depth !== 8 || compression !== 0 || filter !== 0 || interlace !== 0) return undefined;
  if (colour !== 0 && colour !== 2) return undefined;
  return { channels: colour === 0 ? 1 : 3, height, width };
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first;
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

function damaged(name: string, got: string, cause?: unknown): FormatError {
  return new FormatError(`${name}: expected a whole PNG, got ${got}.`, { cause });
}
