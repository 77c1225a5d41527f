import { expect, it } from "vitest";
import { readGolden } from "../../../test/support/golden.ts";

it("reads golden files of every stored type", () => {
  const schedules = readGolden("schedules/schedules.safetensors");
  for (const [name, t] of schedules.tensors) expect(t.data.length, name).toBe(t.dims.reduce((a, b) => a * b, 1));
  const prior = readGolden("prior-run.safetensors");
  expect(prior.dims("image_u8")).toEqual([4, 1, 28, 28]);
  const start = prior.float64("image_u8").map((value) => value / 127.5 - 1);
  expect(start).toBeAllclose(prior.float32("x_start"), { atol: 1e-6 });
  for (const folder of ["f16", "bf16"]) {
    const weights = readGolden(`unet-diffusers/${folder}/diffusion_pytorch_model.safetensors`);
    expect(Math.max(...weights.float32("conv_in.weight").map(Math.abs))).toBeLessThan(4);
    expect(Math.max(...weights.float32("conv_in.weight").map(Math.abs))).toBeGreaterThan(0.01);
  }
});
