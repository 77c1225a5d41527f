import { describe, expect, it } from "vitest";
import { float32 } from "../../tensor/tensor.ts";
import { sunrise } from "./sunrise.ts";

const size = 3 * 6 * 4;
const image = float32(
  [1, 3, 6, 4],
  Float32Array.from({ length: size }, (_, i) => ((i * 17) % 71) / 70),
);
const strength = { blend: 1, warmth: 0.6, glow: 0.5 };

/** Mean of a channel over some rows. */
function mean(
  { data }: { data: Float32Array },
  channel: number,
  [from, to]: readonly [number, number] = [0, 6],
): number {
  const part = data.subarray((channel * 6 + from) * 4, (channel * 6 + to) * 4);
  return part.reduce((sum, value) => sum + value, 0) / part.length;
}

describe("sunrise", () => {
  it("warms: red rises more than green, and blue less", () => {
    const lit = sunrise(image, strength);
    const rise = [0, 1, 2].map((channel) => mean(lit, channel) - mean(image, channel));
    expect(rise[0]).toBeGreaterThan(rise[1]!);
    expect(rise[1]).toBeGreaterThan(rise[2]!);
    expect(mean(sunrise(image, { ...strength, glow: 0 }), 2)).toBeLessThan(mean(image, 2));
  });

  it("glows from below: on grey, every row is brighter than the one above it", () => {
    const grey = float32([1, 3, 6, 4], new Float32Array(size).fill(0.4));
    const lit = sunrise(grey, strength);
    for (let row = 1; row < 6; row++) {
      expect(mean(lit, 0, [row, row + 1])).toBeGreaterThan(mean(lit, 0, [row - 1, row]));
    }
  });

  it("is the identity without blend, and mixes linearly with it", () => {
    expect(sunrise(image, { ...strength, blend: 0 }).data).toEqual(image.data);
    const [half, full] = [0.5, 1].map((blend) => sunrise(image, { ...strength, blend }).data);
    expect(half).toBeAllclose(
      full!.map((value, i) => (value + image.data[i]!) / 2),
      { atol: 1e-6 },
    );
  });

  it("refuses grey images", () => {
    expect(() => sunrise(float32([1, 1, 2, 2]), strength)).toThrow("sunrise: expected images of 3 channels, got 1.");
  });
});
