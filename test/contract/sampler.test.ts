/** @file What every sampler in the registry must do. A new sampler is tested by being registered. */
import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseOptions } from "../../src/core/descriptor.ts";
import { createNoise, type ImageId } from "../../src/core/noise.ts";
import { noised } from "../../src/diffusion/forward.ts";
import { noiseLike } from "../../src/diffusion/noise.ts";
import type { NoisePredictor } from "../../src/diffusion/predictor.ts";
import {
  openSampler,
  type SampledPrior,
  type SamplerDescriptor,
  samplers,
} from "../../src/diffusion/samplers/registry.ts";
import type { SampleRun } from "../../src/diffusion/samplers/sampling.ts";
import { linearBetas, makeSchedule } from "../../src/diffusion/schedules.ts";
import { rowsOf } from "../../src/tensor/rows.ts";
import { type Float32Tensor, float32, type RealTensor } from "../../src/tensor/tensor.ts";
import { gaussianDenoiser, perfectDenoiser } from "../support/denoisers.ts";

const schedule = makeSchedule(linearBetas(1000));
const ids = (count: number): ImageId[] => Array.from({ length: count }, (_, row) => [row, 7]);

const normal = (dims: readonly number[], stream = "x", rowIds = ids(dims[0]!)): Float32Tensor =>
  noiseLike({ noise: createNoise(1, rowIds) }, stream, float32(dims))(0);

const priorOf = (predict: NoisePredictor): SampledPrior => ({ predict, schedule, variance: "fixed-small" });

/** Steps that make every sampler cheap; the registry's own defaults are for quality. */
const few = { steps: 6 };

/** Option sets beyond the defaults that contracts are checked on. */
const settings: Record<keyof typeof samplers, readonly Record<string, unknown>[]> = {
  ddpm: [few, { ...few, variance: "fixed-large" }],
  ddim: [few, { ...few, grid: "lin", eta: 0.7 }, { ...few, clip: 0 }],
  "dpm-solver-multistep": [
    few,
    ...["lambda", "trail", "lin", "karras"].map((grid) => ({ ...few, grid, order: 3 })),
    { ...few, algorithm: "dpmsolver", order: 1 },
    { ...few, algorithm: "sde-dpmsolver++", form: "heun" },
  ],
  "dpm-solver-singlestep": [
    few,
    ...["paper", "midpoint", "heun"].map((form) => ({ ...few, form, order: 3 })),
    { ...few, algorithm: "dpmsolver", grid: "trail" },
    { ...few, algorithm: "dpmsolver", order: 3, grid: "karras" },
  ],
};

describe("sampler registry", () => {
  it("has every method file, under its own name", () => {
    const helpers = [
      "clean-estimate",
      "dpm-solver",
      "grids",
      "kernels",
      "registry",
      "sampling",
      "solver-grids",
      "solver-options",
    ];
    const files = readdirSync(new URL("../../src/diffusion/samplers/", import.meta.url))
      .filter((file) => !file.endsWith(".test.ts"))
      .map((file) => file.replace(/\.ts$/, ""))
      .filter((file) => !helpers.includes(file));
    expect(Object.keys(samplers).sort()).toEqual(files.sort());
    for (const [name, sampler] of Object.entries(samplers)) expect(sampler.name).toBe(name);
  });

  it("guesses a misspelt name and refuses an unknown option", () => {
    expect(() => openSampler("ddimm")).toThrow('Unknown sampler "ddimm". Did you mean "ddim"?');
    expect(() => openSampler("ddim", { step: 4 })).toThrow('unknown option "step". Did you mean "steps"?');
    expect(() => openSampler("ddim", { eta: 2 })).toThrow(/option "eta"/);
  });

  it.each(Object.values<SamplerDescriptor>(samplers))(
    "$name: describes every option and has a default for it",
    (sampler) => {
      const options = parseOptions(sampler, {});
      expect(Object.keys(options)).toEqual(Object.keys(sampler.options.shape));
      for (const option of Object.values(sampler.options.shape)) expect(option.description).toBeTruthy();
    },
  );
});

const each = Object.entries(settings).flatMap(([name, sets]) =>
  sets.map((raw) => ({ name, raw, title: `${name} ${JSON.stringify(raw)}` })),
);

describe.each(each)("$title", ({ name, raw }) => {
  const denoise = openSampler(name, raw);
  const start = 300;
  const dims = [3, 1, 4, 4];
  const clean = { ...normal(dims, "clean"), data: normal(dims, "clean").data.map((v) => Math.tanh(v)) };
  const x = noised(clean, schedule, start, normal(dims));
  const perfect = priorOf(perfectDenoiser(schedule, clean));
  const gaussian = priorOf(gaussianDenoiser(schedule, 0.1, 0.4));
  const run = (rowIds = ids(3)): SampleRun => ({
    noise: noiseLike({ noise: createNoise(5, rowIds) }, "step", float32([rowIds.length, 1, 4, 4])),
  });

  it("ends at x0 with a net that knows it, in float32 and float64", async () => {
    const final = await denoise(perfect, x, { start, ...run() });
    expect(final.dtype).toBe("float32");
    expect(final.dims).toEqual(dims);
    expect(final.data).toBeAllclose(clean.data, { atol: 1e-5 });
    const wide: RealTensor = { dtype: "float64", dims, data: Float64Array.from(x.data) };
    const exact = await denoise(perfect, wide, { start, ...run() });
    expect(exact.dtype).toBe("float64");
    expect(exact.data).toBeAllclose(clean.data, { atol: 1e-12 });
  });

  it("works from the first and the last index, and refuses an index outside", async () => {
    for (const index of [0, 1, 999]) {
      const final = await denoise(perfect, noised(clean, schedule, index, normal(dims)), { start: index, ...run() });
      expect(final.data).toBeAllclose(clean.data, { atol: 1e-4 });
    }
    for (const index of [-1, 1000, 2.5]) {
      await expect(async () => denoise(perfect, x, { start: index, ...run() })).rejects.toThrow("start: expected");
    }
  });

  it("does not modify x, and gives the same again", async () => {
    const before = x.data.slice();
    const [one, two] = [
      await denoise(gaussian, x, { start, ...run() }),
      await denoise(gaussian, x, { start, ...run() }),
    ];
    expect(x.data).toEqual(before);
    expect(one.data).toEqual(two.data);
  });

  it("gives each image the same alone as in a batch", async () => {
    const together = await denoise(gaussian, x, { start, ...run() });
    for (let row = 0; row < 3; row++) {
      const alone = await denoise(gaussian, rowsOf(x, row, row + 1), { start, ...run([ids(3)[row]!]) });
      expect(alone.data).toEqual(rowsOf(together as Float32Tensor, row, row + 1).data);
    }
  });

  it("reports growing progress up to the number of calls", async () => {
    let calls = 0;
    const seen: number[][] = [];
    const counted: NoisePredictor = (x, t, signal) => {
      calls++;
      return gaussian.predict(x, t, signal);
    };
    await denoise(priorOf(counted), x, { start, ...run(), progress: (done, total) => seen.push([done, total]) });
    expect(seen).toEqual(Array.from({ length: calls }, (_, k) => [k + 1, calls]));
    expect(calls).toBe(6);
  });

  it("stops at the next step when aborted", async () => {
    const controller = new AbortController();
    let calls = 0;
    const stopping: NoisePredictor = (x, t, signal) => {
      expect(signal).toBe(controller.signal);
      if (++calls === 2) controller.abort();
      return gaussian.predict(x, t, signal);
    };
    const aborted = denoise(priorOf(stopping), x, { start, ...run(), signal: controller.signal });
    await expect(aborted).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
    expect(calls).toBe(2);
  });
});

describe("a sampler from pure noise returns the distribution that its net knows", () => {
  const [mean, deviation] = [0.3, 0.5];
  const prior = priorOf(gaussianDenoiser(schedule, mean, deviation));
  const all: [keyof typeof samplers, Record<string, unknown>][] = [
    ["ddpm", {}],
    ["ddpm", { steps: 300 }],
    ["ddim", { steps: 100, grid: "lin" }],
    ["ddim", { steps: 300, grid: "lin", eta: 1 }],
    ["dpm-solver-multistep", { steps: 20 }],
    ["dpm-solver-multistep", { steps: 20, order: 3, grid: "karras" }],
    ["dpm-solver-multistep", { steps: 20, algorithm: "dpmsolver" }],
    ["dpm-solver-multistep", { steps: 40, algorithm: "sde-dpmsolver++" }],
    ["dpm-solver-multistep", { steps: 40, algorithm: "sde-dpmsolver++", order: 3 }],
    ["dpm-solver-singlestep", { steps: 21, order: 3 }],
    ["dpm-solver-singlestep", { steps: 40, order: 2, algorithm: "dpmsolver" }],
  ];

  /**
   * That net is affine in x, so every sampler is affine in x and its noises, and both moments are exact without drawing:
   * row 0 has all of them 0 and ends at the mean, row 1 shows what x does, row k + 2 what the noise of step k does.
   */
  it.each(all)("%s %j", async (name, raw) => {
    const rows = 1002;
    const unitAt = (row: number): RealTensor => {
      const data = Float64Array.from({ length: rows }, (_, i) => (i === row ? 1 : 0));
      return { dtype: "float64", dims: [rows, 1, 1, 1], data };
    };
    const request = { start: 999, noise: (step: number) => unitAt(step + 2) };
    const { data } = await openSampler(name, { ...raw, clip: 0 })(prior, unitAt(1), request);
    const [average = Number.NaN, ...others] = data;
    const variance = others.reduce((sum, value) => sum + (value - average) ** 2, 0);
    expect(Math.abs(average - mean)).toBeLessThan(0.005);
    expect(Math.abs(Math.sqrt(variance) / deviation - 1)).toBeLessThan(0.03);
  });
});
