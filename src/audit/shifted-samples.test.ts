import { describe, expect, it } from "vitest";
import { gaussianPrior } from "../../test/support/gaussian-prior.ts";
import { float32 } from "../tensor/tensor.ts";
import { shiftedSamples } from "./shifted-samples.ts";

const prior = gaussianPrior(1, 6, 6, 50);
const sampling = { count: 3, seed: 1, sampler: "ddpm", steps: 50 } as const;

describe("samples from shifted noise", () => {
  it("depend on the seed and their number alone", async () => {
    const [three, two] = [
      await shiftedSamples(prior, sampling),
      await shiftedSamples(prior, { ...sampling, count: 2 }),
    ];
    expect(three.data.subarray(0, 72)).toEqual(two.data);
    const others = await shiftedSamples(prior, { ...sampling, seed: 2 });
    expect(others.data).not.toEqual(three.data);
  });

  it("go where the shift pulls them, and clipping holds them", async () => {
    const mean = (data: Float32Array): number => data.reduce((sum, value) => sum + value, 0) / data.length;
    const shift = float32([1, 6, 6], new Float32Array(36).fill(3));
    const plain = await shiftedSamples(prior, sampling);
    const pulled = await shiftedSamples(prior, { ...sampling, shift });
    expect(mean(pulled.data)).toBeGreaterThan(mean(plain.data) + 0.3);
    for (const clips of [{ clipX0: 0.2 }, { clipState: 0.2 }]) {
      const held = await shiftedSamples(prior, { ...sampling, ...clips, shift });
      expect(Math.max(...held.data)).toBeLessThanOrEqual(0.6 + 1e-6);
    }
    const ddim = await shiftedSamples(prior, { ...sampling, sampler: "ddim", steps: 10, clipState: 0.2 });
    expect(Math.max(...ddim.data.map(Math.abs))).toBeLessThanOrEqual(0.6 + 1e-6);
  });
});
