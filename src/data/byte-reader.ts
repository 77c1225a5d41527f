/** @file Reads numbers and runs of bytes one after the other, and refuses to read past the end. */
import { FormatError } from "../core/errors.ts";

/** A position in some bytes. Every read checks what is left first. */
export class ByteReader {
  readonly bytes: Uint8Array;
  /** What to call the bytes in messages. */
  readonly name: string;
  /** Offset of the next read. */
  position: number;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, name: string, position = 0) {
    this.bytes = bytes;
    this.name = name;
    this.position = position;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The next `count` bytes as a view. @throws FormatError when fewer are left; so do all the others. */
  take(count: number): Uint8Array {
    const start = this.#advance(count);
    return this.bytes.subarray(start, start + count);
  }

  /** Unsigned 8-bit integer. */
  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  /** Unsigned 16-bit integer, little-endian. */
  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  /** Unsigned 32-bit integer, little-endian. */
  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  /** Signed 32-bit integer, little-endian. */
  i32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  /** Unsigned 32-bit integer, big-endian. */
  u32BigEndian(): number {
    return this.#view.getUint32(this.#advance(4), false);
  }

  /** 64-bit float, big-endian. */
  f64BigEndian(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }

  /** Unsigned 64-bit integer, little-endian, that counts something in a file. @throws FormatError beyond 2^53. */
  size64(): number {
    const size = this.#view.getBigUint64(this.#advance(8), true);
    if (size > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new FormatError(`${this.name}: expected a size within the file, got ${size}.`);
    }
    return Number(size);
  }

  /** The bytes before the next newline, which is skipped; at most `limit` of them. */
  line(limit: number): Uint8Array {
    const end = this.bytes.subarray(this.position, this.position + limit + 1).indexOf(0x0a);
    if (end === -1) {
      throw new FormatError(`${this.name}: expected a line of at most ${limit} bytes at offset ${this.position}.`);
    }
    const line = this.take(end);
    this.position += 1;
    return line;
  }

  #advance(count: number): number {
    const start = this.position;
    if (start < 0 || !(count <= this.bytes.length - start)) {
      throw new FormatError(
        `${this.name}: expected ${count} bytes at offset ${start}, got ${Math.max(this.bytes.length - start, 0)}; ` +
          "the file is damaged or cut short.",
      );
    }
    this.position = start + count;
    return start;
  }
}
