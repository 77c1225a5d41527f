import { describe, expect, it } from "vitest";
import { cosineOfTurn, sineOfTurn } from "./shapes/turn.ts";
import { drawShape, shapes } from "./shapes.ts";

describe("shapes", () => {
  it("are functions of seed, part, index and size", () => {
    const options = { size: 16, seed: 4 };
    const one = drawShape("train", 12, options);
    expect(drawShape("train", 12, options)).toEqual(one);
    expect(one.label).toBe(2);
    for (const other of [
      drawShape("test", 12, options),
      drawShape("train", 22, options),
      drawShape("train", 12, { ...options, seed: 5 }),
    ]) {
      expect(other.label).toBe(2);
      expect(other.pixels).not.toEqual(one.pixels);
    }
  });

  it("tell nothing of the class by colour or brightness", () => {
    // Mean colour of each class over 300 pictures: the standard error of such a mean is about 0.25 * 255 / sqrt(300).
    const means = shapes.classes.map((_, id) => {
      const sums = [0, 0, 0];
      for (let i = 0; i < 300; i++) {
        const { pixels } = drawShape("train", 10 * i + id, { size: 8, seed: 0 });
        for (let k = 0; k < pixels.length; k++) sums[Math.floor(k / 64)]! += pixels[k]! / (64 * 300);
      }
      return sums;
    });
    for (const mean of means) for (const channel of mean) expect(Math.abs(channel - 127.5)).toBeLessThan(4 * 3.7);
  });

  it("are drawn with a sine that is a sine, from sums and products alone", () => {
    for (let t = -2; t <= 2; t += 0.0137) {
      expect(Math.abs(sineOfTurn(t) - Math.sin(2 * Math.PI * t))).toBeLessThan(4e-6);
      expect(Math.abs(cosineOfTurn(t) - Math.cos(2 * Math.PI * t))).toBeLessThan(4e-6);
    }
  });
});
