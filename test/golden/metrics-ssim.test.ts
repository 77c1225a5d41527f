/** @file SSIM against scikit-image, torchmetrics and pytorch-ssim, and the plain distances beside it. */
import { describe, expect, it } from "vitest";
import { imageDistance, totalVariation } from "../../src/metrics/image-distance.ts";
import { ssim, ssimConventions, ssimMap } from "../../src/metrics/ssim.ts";
import { affine } from "../../src/tensor/arithmetic.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { readGolden } from "../support/golden.ts";

const file = readGolden("metrics/ssim.safetensors");
const cases = JSON.parse(file.metadata.get("cases")!) as Record<string, Record<string, number>>;
const atol = 1e-5;

describe.each(Object.entries(cases))("ssim %s", (name, expected) => {
  const dims = [1, ...file.dims(`${name}.x`)];
  const x = float32(dims, file.float32(`${name}.x`));
  const y = float32(dims, file.float32(`${name}.y`));

  it.each([
    ["skimage_gauss_population_L1", { ...ssimConventions.scikitImagePopulation, crop: 5 }],
    ["skimage_double_population_L1", { ...ssimConventions.scikitImagePopulation, crop: 5 }],
    ["skimage_gauss_sample_L1", { ...ssimConventions.scikitImage, crop: 5 }],
    ["skimage_gauss_population_L255", { ...ssimConventions.scikitImagePopulation, dataRange: 255, crop: 5 }],
    ["skimage_gauss_sample_L255", { ...ssimConventions.scikitImage, dataRange: 255, crop: 5 }],
    ["sampdetox_call", { ...ssimConventions.scikitImage, dataRange: 255, crop: 5 }],
    ["skimage_uniform7_L1", { ...ssimConventions.scikitImageUniform, crop: 3 }],
    ["torchmetrics_L1", ssimConventions.torchmetrics],
    ["backdoorbench_pytorch_ssim", ssimConventions.pytorchSsim],
  ])("%s", (key, options) => {
    expect(ssim(x, y, options)).toBeAllclose([expected[key]!], { atol });
  });

  it("torchmetrics_L2_model_range", () => {
    const [a, b] = [affine(x, 2, -1), affine(y, 2, -1)];
    const options = { ...ssimConventions.torchmetrics, dataRange: 2 };
    expect(ssim(a, b, options)).toBeAllclose([expected["torchmetrics_L2_model_range"]!], { atol });
  });

  it("maps", () => {
    const population = ssimMap(x, y, { ...ssimConventions.scikitImagePopulation, precision: "float32" });
    expect(population.data).toBeAllclose(file.float64(`${name}.map_population_L1`), { atol: 2e-5 });
    const sample = ssimMap(x, y, { ...ssimConventions.scikitImage, dataRange: 255 });
    expect(sample.data).toBeAllclose(file.float64(`${name}.map_sample_L255`), { atol: 1e-6 });
  });

  it("distances and total variation", () => {
    const distance = imageDistance(x, y)[0]!;
    for (const key of ["mse", "psnr", "l2", "linf", "mae"] as const) {
      expect([distance[key]], key).toBeAllclose([expected[key]!], { rtol: 1e-5 });
    }
    const variation = totalVariation(y)[0]!;
    expect([variation.sum]).toBeAllclose([expected["tv_sum"]!], { rtol: 1e-5 });
    expect([variation.meanAbs]).toBeAllclose([expected["tv_mean_abs"]!], { rtol: 1e-5 });
  });
});
