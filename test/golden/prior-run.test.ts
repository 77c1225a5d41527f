/** @file The shipped prior on four recorded images: single predictions and two whole DDIM runs. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPrior } from "../../src/diffusion/open-prior.ts";
import type { Prior } from "../../src/diffusion/prior.ts";
import { ddim } from "../../src/diffusion/samplers/ddim.ts";
import { jumpsOver } from "../../src/diffusion/samplers/grids.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import { readGolden } from "../support/golden.ts";
import { modelFiles } from "../support/model-files.ts";
import { expectItemsClose } from "../support/relative-error.ts";

describe("models/fashion-mnist-prior", () => {
  const golden = readGolden("prior-run.safetensors");
  const dims = [4, 1, 28, 28];
  const timesteps = [...golden.float64("timesteps")];
  let prior: Prior;
  beforeAll(async () => {
    prior = await openPrior(modelFiles("fashion-mnist-prior"), await createNodeRuntime({ threads: 1 }));
  });
  afterAll(() => prior.dispose());

  it("is what its files say", () => {
    expect(prior.dims).toEqual({ channels: 1, height: 28, width: 28 });
    expect(prior.variance).toBe("fixed-small");
    expect(prior.schedule.alphasBar).toHaveLength(1000);
  });

  it.each([...golden.float64("eps_timesteps")])("predicts the noise at timestep %d", async (t) => {
    const x = { dtype: "float32", dims, data: golden.float32(`xt.${t}`) } as const;
    const { noise } = await prior.predict(x, new Float64Array(4).fill(t));
    expectItemsClose(noise.data, golden.float32(`eps.${t}`), { items: 4, tolerance: 5e-5 });
  });

  describe("in int8", () => {
    let int8: Prior;
    beforeAll(async () => {
      const runtime = await createNodeRuntime({ threads: 1 });
      int8 = await openPrior(modelFiles("fashion-mnist-prior"), runtime, { precision: "int8" });
    });
    afterAll(() => int8.dispose());

    it.each([...golden.float64("eps_timesteps")])("predicts nearly the same noise at timestep %d", async (t) => {
      const x = { dtype: "float32", dims, data: golden.float32(`xt.${t}`) } as const;
      const { noise } = await int8.predict(x, new Float64Array(4).fill(t));
      const exact = golden.float32(`eps.${t}`);
      const error = Math.hypot(...exact.map((value, i) => value - noise.data[i]!));
      // Where hardly any noise is left, nobody can tell it: there what counts is the clean image that follows.
      const alphaBar = prior.schedule.alphasBar[t]!;
      const imageError = (error / Math.sqrt(exact.length)) * Math.sqrt(1 / alphaBar - 1);
      if (t < 50) expect(imageError).toBeLessThan(0.005);
      else expect(error / Math.hypot(...exact)).toBeLessThan(0.04);
    });
  });

  it.each([
    { name: "final", clip: undefined },
    { name: "final_clip", clip: 1 },
  ])("takes ten DDIM steps to $name", async ({ name, clip }) => {
    const x = { dtype: "float32", dims, data: golden.float32("x_t") } as const;
    const steps: Float32Array[] = [];
    const final = await ddim(prior.predict, x, prior.schedule, {
      jumps: jumpsOver(timesteps),
      clip,
      noiseAfterClip: "keep",
      onStep: (_, current) => steps.push(Float32Array.from(current.data)),
    });
    expectItemsClose(final.data, golden.float32(name), { items: 4, tolerance: 2e-5 });
    if (clip !== undefined) return;
    steps.forEach((step, k) => {
      expectItemsClose(step, golden.float32(`x.${String(k).padStart(3, "0")}`), { items: 4, tolerance: 2e-5 });
    });
  });
});
