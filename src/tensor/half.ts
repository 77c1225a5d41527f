/** @file The two 16-bit float types, kept as their bits in a tensor, widened to float32 for arithmetic. */
import {
  bfloat16BitsToFloatInto,
  float16BitsToFloatInto,
  floatToBfloat16BitsInto,
  floatToFloat16BitsInto,
} from "./kernels.ts";

/** float32 values of float16 bits; every one is exact. @source IEEE 754-2008, binary16. */
export function floatsFromFloat16(bits: Uint16Array): Float32Array {
  const out = new Float32Array(bits.length);
  float16BitsToFloatInto(out, bits);
  return out;
}

/** float16 bits of float32 values: nearest, ties to even; beyond 65520 infinite. */
export function float16FromFloats(values: Float32Array): Uint16Array {
  const out = new Uint16Array(values.length);
  floatToFloat16BitsInto(out, values);
  return out;
}

/** float32 values of bfloat16 bits (the upper half of a float32); every one is exact. */
export function floatsFromBfloat16(bits: Uint16Array): Float32Array {
  const out = new Float32Array(bits.length);
  bfloat16BitsToFloatInto(out, bits);
  return out;
}

/** bfloat16 bits of float32 values: nearest, ties to even. */
export function bfloat16FromFloats(values: Float32Array): Uint16Array {
  const out = new Uint16Array(values.length);
  floatToBfloat16BitsInto(out, values);
  return out;
}
