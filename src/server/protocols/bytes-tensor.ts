/** @file Tensors of datatype BYTES as they are sent: each element is its length, four bytes little-endian, and its bytes. */
import { FormatError } from "../../core/errors.ts";

/**
 * The elements of a raw tensor, as views.
 * @param most elements that are read. @throws FormatError when lengths and bytes do not add up, or for more elements.
 */
export function bytesElements(raw: Uint8Array, most: number, subject: string): Uint8Array[] {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const elements: Uint8Array[] = [];
  for (let at = 0; at < raw.length; ) {
    if (elements.length === most) throw new FormatError(`${subject}: expected at most ${most} elements, got more.`);
    const length = at + 4 <= raw.length ? view.getUint32(at, true) : Number.NaN;
    if (!(at + 4 + length <= raw.length)) {
      const got = Number.isNaN(length) ? "an end within a length" : `a length of ${length}`;
      throw new FormatError(`${subject}: expected at most ${raw.length - at - 4} more bytes at ${at}, got ${got}.`);
    }
    elements.push(raw.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return elements;
}

/** Elements as a raw tensor. */
export function bytesTensor(elements: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    elements.flatMap((element) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(element.length);
      return [length, element];
    }),
  );
}
