import { describe, expect, it } from "vitest";
import { expectEveryWeightLearns, expectRowsAlone, unitNoise } from "../../../test/support/graph-checks.ts";
import { freshWeights } from "../fresh-weights.ts";
import { buildInputAware, type InputAwarePlan } from "./input-aware-generator.ts";

const dims = { channels: 3, height: 8, width: 16 };
const build = (plan: Partial<InputAwarePlan> = {}) =>
  buildInputAware({ dims, options: { width: 4 }, weights: freshWeights(2), ...plan });
const feeds = { pixel_values: unitNoise([3, 3, 8, 16]) };

describe("inputAwareGenerator", () => {
  it("makes a pattern, a mask, and images between both", async () => {
    const { pattern, mask, images } = await expectRowsAlone(build(), feeds);
    expect(pattern!.dims).toEqual([3, 3, 8, 16]);
    expect(mask!.dims).toEqual([3, 1, 8, 16]);
    const x = feeds.pixel_values.data;
    const expected = Array.from(x, (value, i) => {
      const m = Number(mask!.data[Math.floor(i / 384) * 128 + (i % 128)]);
      return value + m * (Number(pattern!.data[i]) - value);
    });
    expect(images!.data as Float32Array).toBeAllclose(expected, { atol: 1e-6 });
    for (const value of [...(pattern!.data as Float32Array), ...(mask!.data as Float32Array)]) {
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThanOrEqual(1);
    }
  });

  it("every weight of both learns", async () => {
    const names = await expectEveryWeightLearns(build(), "images", feeds);
    const parts = new Set(names.map((name) => name.slice(0, name.indexOf("."))));
    expect([...parts].sort()).toEqual(["mask", "pattern"]);
  });

  it.each([
    { dims: { channels: 1, height: 28, width: 28 }, first: 16, levels: 2 },
    { dims: { channels: 3, height: 32, width: 32 }, first: 32, levels: 3 },
    { dims: { channels: 3, height: 64, width: 64 }, first: 32, levels: 3 },
    { dims: { channels: 3, height: 36, width: 64 }, first: 32, levels: 2 },
  ])("is as wide and deep as in the authors' code for $dims", ({ dims, first, levels }) => {
    const weights = freshWeights(1);
    build({ dims, options: {}, weights });
    const shape = (name: string) => weights.state.get(name)?.dims;
    expect(shape("pattern.convblock_down_0.conv2d.weight")).toEqual([first, dims.channels, 3, 3]);
    const deepest = first * 2 ** (levels - 1);
    expect(shape("pattern.convblock_middle.conv2d.weight")).toEqual([deepest, deepest, 3, 3]);
    expect(shape(`pattern.convblock_up_${2 * levels - 1}.conv2d.weight`)).toEqual([dims.channels, first, 3, 3]);
    expect(shape(`mask.convblock_up_${2 * levels - 1}.conv2d.weight`)).toEqual([1, first, 3, 3]);
  });

  it.each<{ plan: Partial<InputAwarePlan>; message: RegExp }>([
    {
      plan: { options: { levels: 4 } },
      message:
        /^input-aware-generator: expected a height and width that 16 divides, got 8x16; because 4 levels halve them/,
    },
    { plan: { dims: { ...dims, width: 15 }, options: {} }, message: /that 2 divides, got 8x15/ },
    { plan: { options: { width: 0 } }, message: /^input-aware-generator: option "width"/ },
  ])("refuses $plan", ({ plan, message }) => {
    expect(() => build(plan)).toThrow(message);
  });
});
