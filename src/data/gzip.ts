/** @file The wrapper that gzip puts around a deflate stream. */
import { FormatError } from "../core/errors.ts";
import { ByteReader } from "./byte-reader.ts";

const FLAGS = { checksum: 2, extra: 4, name: 8, comment: 16 };
/** CRC-32 and length at the end. */
const TRAILER = 8;
const TEXT_LIMIT = 65_536;

/** True for bytes that begin as gzip files do. */
export function looksLikeGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * The deflate stream of a gzip file of one member: a view on its bytes.
 * @throws FormatError when the header is damaged. @source RFC 1952, section 2.3.
 */
export function gzipBody(bytes: Uint8Array, name: string): Uint8Array {
  const reader = new ByteReader(bytes.subarray(0, Math.max(bytes.length - TRAILER, 0)), name);
  const [magic, method, flags] = [reader.u16(), reader.u8(), reader.u8()];
  if (magic !== 0x8b1f || method !== 8) {
    throw new FormatError(`${name}: expected a gzip file of deflated bytes, got method ${method}.`);
  }
  reader.take(6);
  if ((flags & FLAGS.extra) !== 0) reader.take(reader.u16());
  for (const flag of [FLAGS.name, FLAGS.comment]) if ((flags & flag) !== 0) skipText(reader);
  if ((flags & FLAGS.checksum) !== 0) reader.take(2);
  return reader.bytes.subarray(reader.position);
}

/** Skips a text that ends in a zero byte. */
function skipText(reader: ByteReader): void {
  const end = reader.bytes.subarray(reader.position, reader.position + TEXT_LIMIT).indexOf(0);
  if (end === -1) throw new FormatError(`${reader.name}: expected the end of a text in its gzip header, got none.`);
  reader.take(end + 1);
}
