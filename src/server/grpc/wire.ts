/** @file Protobuf messages as lists of fields, so that one of them can be replaced and all others keep their bytes. */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { FormatError } from "../../core/errors.ts";

/** One field of a message. */
export interface Field {
  readonly number: number;
  readonly wire: WireType;
  /** Where the field stands, tag included. */
  readonly from: number;
  readonly to: number;
  /** The bytes of a field with a length, without it; empty for numbers. */
  readonly bytes: Uint8Array;
  /** The value of a number on the wire. */
  readonly value: bigint;
}

/** Fields of one message at most: a message of empty fields must not fill the memory. */
const MOST_FIELDS = 100_000;

/** The fields of a message, in their order. @throws FormatError when the bytes are no message. */
export function fieldsOf(message: Uint8Array): Field[] {
  const fields: Field[] = [];
  const reader = new BinaryReader(message);
  try {
    while (reader.pos < reader.len) {
      const from = reader.pos;
      const [number, wire] = reader.tag();
      let bytes: Uint8Array = new Uint8Array(0);
      let value = 0n;
      if (wire === WireType.LengthDelimited) bytes = reader.bytes();
      else if (wire === WireType.Varint) value = BigInt(reader.int64());
      else reader.skip(wire, number);
      fields.push({ number, wire, from, to: reader.pos, bytes, value });
      if (fields.length > MOST_FIELDS)
        throw new FormatError(`message: expected at most ${MOST_FIELDS} fields, got more.`);
    }
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    throw new FormatError("message: expected protobuf, got bytes that are none.", { cause });
  }
  return fields;
}

/** Text of a field; the last one counts, as the protocol says. */
export function textField(fields: readonly Field[], number: number): string {
  const last = fields.findLast((field) => field.number === number);
  return last === undefined ? "" : Buffer.from(last.bytes).toString();
}

/** Whole numbers of a repeated field, packed or not. */
export function integersField(fields: readonly Field[], number: number): number[] {
  return fields
    .filter((field) => field.number === number)
    .flatMap(({ wire, bytes, value }) => {
      if (wire === WireType.Varint) return [Number(value)];
      const reader = new BinaryReader(bytes);
      const list: number[] = [];
      while (reader.pos < reader.len) list.push(Number(reader.int64()));
      return list;
    });
}

/** A field with a length, with its tag. */
export function lengthField(number: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([varint((number << 3) | WireType.LengthDelimited), varint(bytes.length), bytes]);
}

/** A field of a number, with its tag. */
export function varintField(number: number, value: number): Uint8Array {
  return Buffer.concat([varint((number << 3) | WireType.Varint), varint(value)]);
}

/** A field of text, with its tag. */
export function stringField(number: number, text: string): Uint8Array {
  return lengthField(number, Buffer.from(text));
}

/** Negative numbers take ten bytes, as the protocol says. */
function varint(value: number): Uint8Array {
  let left = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(left & 0x7fn);
    left >>= 7n;
    bytes.push(left > 0n ? low | 0x80 : low);
  } while (left > 0n);
  return Uint8Array.from(bytes);
}
