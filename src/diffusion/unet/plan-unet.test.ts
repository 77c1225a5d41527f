import { describe, expect, it } from "vitest";
import { modelFiles } from "../../../test/support/model-files.ts";
import { freshWeights } from "../../nn/fresh-weights.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";
import { diffusersUNet } from "./diffusers.ts";
import { parseUNet2DConfig, type UNet2DConfig } from "./diffusers-config.ts";
import { planUNet, type UNetOptions } from "./plan-unet.ts";

/** Numbers that the net of a config asks for; they are zeros here, because drawing millions takes time. */
function weightCount(config: UNet2DConfig): number {
  let count = 0;
  const take = (_: string, dims: readonly number[]): Float32Tensor => {
    const zeros = float32(dims);
    count += zeros.data.length;
    return zeros;
  };
  diffusersUNet(config, { ...freshWeights(1), take });
  return count;
}

const cifar = { channels: 3, height: 32, width: 32 };

describe("planUNet", () => {
  it("plans the net of the shipped prior for 28x28 grey pixels", async () => {
    const bytes = await modelFiles("fashion-mnist-prior")("unet/config.json");
    const shipped = parseUNet2DConfig(JSON.parse(new TextDecoder().decode(bytes)));
    expect(planUNet({ channels: 1, height: 28, width: 28 })).toEqual(shipped);
  });

  it.each([
    { size: { channels: 3, height: 32, width: 32 }, widths: [32, 64, 128], sample: 32 },
    { size: { channels: 3, height: 64, width: 64 }, widths: [32, 64, 128, 128], sample: 64 },
    { size: { channels: 3, height: 8, width: 8 }, widths: [32], sample: 8 },
    { size: { channels: 1, height: 7, width: 7 }, widths: [24], sample: 7 },
    { size: { channels: 3, height: 30, width: 32 }, widths: [32, 64], sample: [30, 32] },
    { size: { channels: 3, height: 224, width: 224 }, widths: [32, 64, 128, 128, 128, 128], sample: 224 },
  ])("chooses widths $widths for $size", ({ size, widths, sample }) => {
    const config = planUNet(size);
    expect(config.block_out_channels).toEqual(widths);
    expect(config.sample_size).toEqual(sample);
    const { size: written, outChannels } = diffusersUNet(config, freshWeights(1));
    expect(written).toEqual(size);
    expect(outChannels).toBe(size.channels);
  });

  it("has as many weights as its description says", () => {
    const millions = (options: UNetOptions): number => weightCount(planUNet(options)) / 1e6;
    expect(millions({ channels: 1, height: 28, width: 28 })).toBeCloseTo(1.4, 1);
    expect(millions(cifar)).toBeCloseTo(2.5, 1);
    // The paper's net for CIFAR-10: "35.7 million parameters".
    expect(millions({ ...cifar, widths: [128, 256, 256, 256], layersPerBlock: 2, attention: [1] })).toBeCloseTo(
      35.7,
      1,
    );
  });

  it("puts attention where it is asked for, and heads and groups that fit", () => {
    const config = planUNet({ ...cifar, widths: [20, 36, 60], attention: [0, 1] });
    expect(config.down_block_types).toEqual(["AttnDownBlock2D", "AttnDownBlock2D", "DownBlock2D"]);
    expect(config.up_block_types).toEqual(["UpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D"]);
    expect(config.norm_num_groups).toBe(4);
    expect(config.attention_head_dim).toBe(20);
    expect(diffusersUNet(config, freshWeights(1)).outChannels).toBe(3);
  });

  it.each([
    {
      options: { ...cifar, height: 30, widths: [8, 16, 32] },
      message:
        /^unet: expected a height and width that 4 divides, because 3 widths halve them 2 times, got 30x32\. Do give at most 2, or/,
    },
    {
      options: { ...cifar, width: 31, widths: [8, 16] },
      message: /because 2 widths halve them once, got 32x31\. Do give at most 1, or/,
    },
    {
      options: { ...cifar, height: 29 },
      message: /expected an even height and width, got 29x32; .* to 32x32, or give/,
    },
    { options: { ...cifar, widths: [] }, message: /^unet: option "widths"/ },
    { options: { ...cifar, widths: [8, 0] }, message: /^unet: option "widths.1"/ },
    { options: { ...cifar, channels: 0 }, message: /^unet: option "channels"/ },
    { options: { ...cifar, layersPerBlock: 0.5 }, message: /^unet: option "layersPerBlock"/ },
    {
      options: { ...cifar, attention: [3] },
      message: /expected levels from 0 to 2, as many as there are widths, got 3/,
    },
    { options: { ...cifar, layers: 2 }, message: /unknown option "layers"/ },
  ])("refuses $options", ({ options, message }) => {
    expect(() => planUNet(options)).toThrow(message);
  });
});
