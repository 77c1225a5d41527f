import { describe, expect, it } from "vitest";
import { bfloat16FromFloats, float16FromFloats, floatsFromBfloat16, floatsFromFloat16 } from "./half.ts";

const all = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
const isNaNHalf = (bits: number): boolean => (bits & 0x7fff) > 0x7c00;
const isNaNBfloat = (bits: number): boolean => (bits & 0x7fff) > 0x7f80;

describe("float16", () => {
  it("has the value that its fields say, for all 65536 bit patterns", () => {
    const floats = floatsFromFloat16(all);
    all.forEach((bits) => {
      const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
      let value = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
      if (exponent === 31) value = fraction === 0 ? Number.POSITIVE_INFINITY : Number.NaN;
      if (!Object.is(floats[bits], bits >= 0x8000 ? -value : value)) expect(floats[bits], `${bits}`).toBe(value);
    });
  });

  it("comes back from float32 bit by bit; NaN stays NaN", () => {
    const back = float16FromFloats(floatsFromFloat16(all));
    expect(back.filter((bits, i) => (isNaNHalf(i) ? !isNaNHalf(bits) : bits !== i)).length).toBe(0);
  });

  it("rounds to nearest, ties to even, into subnormals and to infinity", () => {
    const cases: [number, number][] = [
      [1 + 2 ** -11, 0x3c00],
      [1 + 3 * 2 ** -11, 0x3c02],
      [1 + 2 ** -11 + 2 ** -20, 0x3c01],
      [2 ** -25, 0],
      [3 * 2 ** -25, 2],
      [2 ** -25 * 1.0001, 1],
      [-(2 ** -24), 0x8001],
      [2 ** -14 - 2 ** -25, 0x0400],
      [65504, 0x7bff],
      [65519.99, 0x7bff],
      [65520, 0x7c00],
      [-1e30, 0xfc00],
      [-0, 0x8000],
    ];
    expect([...float16FromFloats(Float32Array.from(cases, ([value]) => value))]).toEqual(cases.map(([, bits]) => bits));
  });
});

describe("bfloat16", () => {
  it("is the upper half of a float32, for all 65536 bit patterns", () => {
    const floats = floatsFromBfloat16(all);
    const words = new Uint32Array(floats.buffer);
    expect(words.filter((word, i) => !isNaNBfloat(i) && word !== i * 65536).length).toBe(0);
    const back = bfloat16FromFloats(floats);
    expect(back.filter((bits, i) => (isNaNBfloat(i) ? !isNaNBfloat(bits) : bits !== i)).length).toBe(0);
  });

  it("rounds to nearest, ties to even, and to infinity", () => {
    const cases: [number, number][] = [
      [1 + 2 ** -8, 0x3f80],
      [1 + 3 * 2 ** -8, 0x3f82],
      [1 + 2 ** -8 + 2 ** -16, 0x3f81],
      [3.4028234663852886e38, 0x7f80],
      [-3.4028234663852886e38, 0xff80],
      [2 ** -149, 0],
    ];
    expect([...bfloat16FromFloats(Float32Array.from(cases, ([value]) => value))]).toEqual(
      cases.map(([, bits]) => bits),
    );
  });
});
