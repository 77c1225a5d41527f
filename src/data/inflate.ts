/** @file Deflate streams from strangers: expanded piece by piece, never beyond the size that was announced. */
import { Inflate } from "fflate";
import { FormatError, messageOf } from "../core/errors.ts";

/** Deflate cannot shrink by more than this, so a small stream cannot hold a large file. */
const DEFLATE_RATIO = 1032;
/** Compressed bytes per step; one step expands to 34 MB at most. */
const STEP = 1 << 15;

/**
 * Expands a raw deflate stream to exactly `size` bytes.
 * @param subject what to call the stream in messages.
 * @throws FormatError when the stream is damaged or holds another number of bytes.
 * @source RFC 1951.
 */
export function inflateExactly(bytes: Uint8Array, size: number, subject: string): Uint8Array {
  if (size > bytes.length * DEFLATE_RATIO) {
    throw new FormatError(
      `${subject}: expected ${size} bytes, got ${bytes.length} deflated ones that cannot hold them.`,
    );
  }
  const out = new Uint8Array(size);
  const end = inflateInto(out, bytes, subject);
  if (end === size) return out;
  throw new FormatError(`${subject}: expected ${size} bytes, got ${end > size ? "more" : end} when expanded.`);
}

/** The first `count` bytes of a raw deflate stream, or fewer where it is shorter. @throws FormatError as above. */
export function inflateHead(bytes: Uint8Array, count: number, subject: string): Uint8Array {
  const out = new Uint8Array(count);
  return out.subarray(0, Math.min(inflateInto(out, bytes, subject), count));
}

/** Fills `out` and stops as soon as there is more; returns how many bytes were seen. */
function inflateInto(out: Uint8Array, bytes: Uint8Array, subject: string): number {
  let end = 0;
  const stream = new Inflate((piece) => {
    out.set(piece.subarray(0, Math.max(out.length - end, 0)), end > out.length ? out.length : end);
    end += piece.length;
  });
  try {
    for (let at = 0; at < bytes.length && end <= out.length; at += STEP) {
      stream.push(bytes.subarray(at, at + STEP), at + STEP >= bytes.length);
    }
  } catch (error) {
    throw new FormatError(`${subject}: expected deflated bytes, got damaged ones; ${messageOf(error)}.`, {
      cause: error,
    });
  }
  return end;
}
