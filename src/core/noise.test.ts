import { describe, expect, test } from "vitest";
import { OptionError } from "./errors.ts";
import { philoxInto } from "./kernels.ts";
import { createNoise, imageId, uniformFromNoise } from "./noise.ts";

describe("philoxInto", () => {
  // Known-answer vectors of the Random123 distribution (kat_vectors, philox4x32 10).
  test.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])("counter %j, key %j", (counter, key, expected) => {
    const out = new Uint32Array(4);
    philoxInto(out, Uint32Array.from(counter), Uint32Array.from(key));
    expect([...out]).toEqual(expected);
  });
});

describe("createNoise", () => {
  const a = imageId([1, 2, 2], Uint8Array.of(1, 2, 3, 4));
  const b = imageId([1, 2, 2], Uint8Array.of(1, 2, 3, 5));

  test("depends on seed, image, stream and step, and on nothing else", () => {
    const noise = createNoise(7, [a, b]);
    const reference = noise(0, "vote0/first", 3, 9);
    expect(createNoise(7, [b, a])(1, "vote0/first", 3, 9)).toEqual(reference);
    expect(noise(0, "vote0/first", 3, 5)).toEqual(reference.subarray(0, 5));
    expect(noise(1, "vote0/first", 3, 9)).not.toEqual(reference);
    expect(noise(0, "vote1/first", 3, 9)).not.toEqual(reference);
    expect(noise(0, "vote0/first", 4, 9)).not.toEqual(reference);
    expect(createNoise(8, [a])(0, "vote0/first", 3, 9)).not.toEqual(reference);
    expect(createNoise(7 + 2 ** 40, [a])(0, "vote0/first", 3, 9)).not.toEqual(reference);
  });

  test("is standard normal", () => {
    const values = createNoise(1, [a])(0, "s", 0, 100_000);
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
    const moment = (p: number): number => values.reduce((sum, x) => sum + (x - mean) ** p, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.015);
    expect(moment(2)).toBeCloseTo(1, 1);
    expect(Math.abs(moment(3))).toBeLessThan(0.05);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.1);
  });

  test.each([-1, 0.5, Number.NaN, 2 ** 53])("refuses seed %d", (seed) => {
    expect(() => createNoise(seed, [])).toThrow(OptionError);
  });
});

test("imageId: dims count, not only pixels", () => {
  const pixels = Uint8Array.of(1, 2, 3, 4);
  expect(imageId([1, 1, 4], pixels)).not.toEqual(imageId([1, 2, 2], pixels));
});

test("uniformFromNoise is uniform in [0, 1)", () => {
  const values = uniformFromNoise(createNoise(3, [[1, 2]]), 0, "u", 0, 20_000);
  const bins = new Array<number>(10).fill(0);
  for (const value of values) bins[Math.floor(value * 10)] = (bins[Math.floor(value * 10)] ?? 0) + 1;
  expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...values)).toBeLessThan(1);
  for (const count of bins) expect(Math.abs(count - 2000)).toBeLessThan(200);
});
