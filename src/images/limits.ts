/** @file How large a picture from a stranger may be, and what its first bytes say it is. */
import { FormatError } from "../core/errors.ts";

/** Limits of one picture, checked before memory is asked for. */
export interface PictureLimits {
  /** Width times height; 64 million when left out. */
  readonly maxPixels?: number | undefined;
  /** Length of the file; 256 MiB when left out. */
  readonly maxBytes?: number | undefined;
}

/** The limits when none are given. */
export const defaultLimits = { maxPixels: 64_000_000, maxBytes: 2 ** 28 } as const;

/** Containers that are decoded. */
export type PictureKind = "png" | "jpeg" | "webp" | "tiff";

/**
 * What a file is, by its content: a JPEG called `.png` is a JPEG.
 * @param name the file, for messages.
 * @throws FormatError for an empty file, one over the limit of bytes, or anything but PNG, JPEG, WebP and TIFF.
 */
export function pictureKind(bytes: Uint8Array, name: string, { maxBytes }: PictureLimits = {}): PictureKind {
  const limit = maxBytes ?? defaultLimits.maxBytes;
  if (bytes.length === 0) throw new FormatError(`${name}: expected a picture, got an empty file.`);
  if (bytes.length > limit) {
    throw new FormatError(`${name}: expected at most ${limit} bytes, got ${bytes.length}.`);
  }
  const head = String.fromCharCode(...bytes.subarray(0, 12));
  if (head.startsWith("\x89PNG\r\n\x1a\n")) return "png";
  if (head.startsWith("\xff\xd8\xff")) return "jpeg";
  if (head.startsWith("RIFF") && head.slice(8) === "WEBP") return "webp";
  if (head.startsWith("II*\0") || head.startsWith("MM\0*")) return "tiff";
  throw new FormatError(`${name}: expected a PNG, JPEG, WebP or TIFF picture, got ${describe(bytes)}.`);
}

/**
 * Checks the size that a header claims.
 * @throws FormatError when it is zero or over the limit of pixels.
 */
export function checkPixels(name: string, width: number, height: number, { maxPixels }: PictureLimits = {}): void {
  const limit = maxPixels ?? defaultLimits.maxPixels;
  if (width < 1 || height < 1) throw new FormatError(`${name}: expected pixels, got a size of ${width} x ${height}.`);
  if (width * height > limit) {
    throw new FormatError(
      `${name}: expected at most ${limit} pixels, got ${width} x ${height} = ${width * height}. Do make it smaller first.`,
    );
  }
}

function describe(bytes: Uint8Array): string {
  const head = bytes.subarray(0, 8);
  const hex = Array.from(head, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return `${bytes.length} bytes that start with ${hex}`;
}
