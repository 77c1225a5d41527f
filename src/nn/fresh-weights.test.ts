import { describe, expect, test } from "vitest";
import { freshWeights } from "./fresh-weights.ts";

describe("freshWeights", () => {
  test("kernels and their biases are uniform in ±1 / sqrt(fan in)", () => {
    const weights = freshWeights(3);
    const kernel = weights.take("conv.weight", [64, 16, 3, 3]).data;
    const bias = weights.take("conv.bias", [64]).data;
    const bound = 1 / Math.sqrt(16 * 9);
    expect(Math.max(...kernel)).toBeLessThanOrEqual(bound);
    expect(Math.max(...kernel)).toBeGreaterThan(0.999 * bound);
    expect(Math.min(...kernel)).toBeLessThan(-0.999 * bound);
    const variance = kernel.reduce((sum, value) => sum + value * value, 0) / kernel.length;
    expect(variance / (bound * bound)).toBeCloseTo(1 / 3, 1);
    expect(Math.max(...bias.map(Math.abs))).toBeLessThanOrEqual(bound);
    expect(new Set(bias).size).toBe(64);
  });

  test("norms begin as the identity", () => {
    const weights = freshWeights(3);
    expect([...weights.take("norm.weight", [2]).data]).toEqual([1, 1]);
    expect([...weights.take("norm.bias", [2]).data]).toEqual([0, 0]);
    expect([...weights.take("norm.running_mean", [2]).data]).toEqual([0, 0]);
    expect([...weights.take("norm.running_var", [2]).data]).toEqual([1, 1]);
  });

  test("a tensor depends on the seed and its name, not on the order", () => {
    const [one, other] = [freshWeights(7), freshWeights(7)];
    one.take("a.weight", [3, 5]);
    expect(one.take("b.weight", [4, 5])).toEqual(other.take("b.weight", [4, 5]));
    expect(one.take("a.weight", [3, 5])).toEqual(other.take("a.weight", [3, 5]));
    expect(freshWeights(8).take("a.weight", [3, 5])).not.toEqual(one.take("a.weight", [3, 5]));
    expect(one.take("c.weight", [3, 5]).data).not.toEqual(one.take("a.weight", [3, 5]).data);
  });

  test("a seed that is none is refused", () => {
    expect(() => freshWeights(-1).take("a.weight", [1, 1])).toThrow("seed: expected an integer");
  });
});
