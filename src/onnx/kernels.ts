/** @file Walks protobuf's wire format without building anything. */
import { type Schema, schemaOfField } from "./schema.ts";

/** Nesting at which the decoder gives up. */
const MAX_DEPTH = 100;

/**
 * Counts what decoding would build an object for, messages and unknown fields, and stops at `limit`. Two bytes of a file
 * may stand for an empty message that takes hundreds in memory, so this is asked before any is built. Damaged bytes end
 * the count early: naming the damage is the decoder's business.
 */
export function countObjects(bytes: Uint8Array, schema: Schema, limit: number): number {
  let count = 0;
  let at = 0;

  function varint(): number {
    let value = 0;
    for (let scale = 1; at < bytes.length; scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) break;
    }
    return value;
  }

  function walk(message: Schema, end: number, depth: number): void {
    while (at < end && count < limit) {
      const tag = varint();
      const field = schemaOfField(message, Math.floor(tag / 8));
      if (field !== "scalar") count++;
      switch (tag % 8) {
        case 0:
          varint();
          break;
        case 1:
          at += 8;
          break;
        case 2: {
          const length = varint();
          const stop = Math.min(at + length, end);
          if (typeof field === "object" && depth < MAX_DEPTH) walk(field, stop, depth + 1);
          at = stop;
          break;
        }
        case 5:
          at += 4;
          break;
      }
    }
  }

  walk(schema, bytes.length, 0);
  return count;
}
