/** @file Plans a U-Net for images of any size: the config of a `UNet2DModel` that is to be trained from scratch. */
import { z } from "zod";
import { parseOptions } from "../../core/descriptor.ts";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { parseUNet2DConfig, type UNet2DConfig } from "./diffusers-config.ts";

/** Levels end when a side is as small as this: attention and 3x3 convolutions then see the whole image. */
const SMALL_SIDE = 8;
/** Channels of the first level. Noise in three colours takes more to tell from the image. */
const BASE = { grey: 24, colour: 32 };
/** Channels double on every level, up to this many times the first. */
const MOST_DOUBLED = 4;
/** Groups of every norm at most, and channels of a head. */
const GROUPS = 8;
const HEAD_CHANNELS = 32;

const side = z.int().min(1).max(4096);

/** What a U-Net is planned from; what is left out is chosen by the size of the images. */
export const unetOptions = z.object({
  channels: side.describe("Channels of an image."),
  height: side.describe("Pixels from top to bottom."),
  width: side.describe("Pixels from left to right."),
  widths: z
    .array(z.int().min(1).max(8192))
    .min(1)
    .max(16)
    .optional()
    .describe("Channels of each level, the full size first; each level after it halves the size."),
  layersPerBlock: z.int().min(1).max(16).default(1).describe("Residual blocks of each level."),
  attention: z
    .array(z.int().min(0).max(15))
    .default([])
    .describe("Levels whose blocks are followed by attention; 0 is the full size. The middle always attends."),
  headChannels: z.int().min(1).max(8192).default(HEAD_CHANNELS).describe("Channels of an attention head at most."),
});

/** Raw options of {@link planUNet}. */
export type UNetOptions = z.input<typeof unetOptions>;

/**
 * Plans the net of a prior. The defaults are small on purpose, so that it trains on a processor: 1.4 million weights for
 * 28x28 grey pixels, 2.5 million for 32x32 in colour. The net of the paper for CIFAR-10 is `widths: [128, 256, 256, 256]`,
 * `layersPerBlock: 2`, `attention: [1]`.
 * @throws OptionError naming the option; ShapeError when the size does not halve evenly as often as the levels ask for.
 * @source Ho et al. 2020, "Denoising Diffusion Probabilistic Models", appendix B; huggingface/diffusers, UNet2DModel
 */
export function planUNet(options: UNetOptions): UNet2DConfig {
  const parsed = parseOptions({ name: "unet", options: unetOptions }, options);
  const { channels, height, width, layersPerBlock, attention, headChannels } = parsed;
  const widths = parsed.widths ?? defaultWidths(parsed);
  checkHalving(parsed, widths.length);
  const beyond = attention.find((level) => level >= widths.length);
  if (beyond !== undefined) {
    throw new OptionError(
      `unet: option "attention": expected levels from 0 to ${widths.length - 1}, as many as there are widths, got ${beyond}.`,
    );
  }
  const attends = (level: number): boolean => attention.includes(level);
  const attending = widths.filter((_, level) => level === widths.length - 1 || attends(level));
  return parseUNet2DConfig({
    _class_name: "UNet2DModel",
    sample_size: height === width ? height : [height, width],
    in_channels: channels,
    out_channels: channels,
    center_input_sample: false,
    time_embedding_type: "positional",
    freq_shift: 0,
    flip_sin_to_cos: true,
    down_block_types: widths.map((_, level) => (attends(level) ? "AttnDownBlock2D" : "DownBlock2D")),
    up_block_types: widths.map((_, level) => (attends(level) ? "AttnUpBlock2D" : "UpBlock2D")).reverse(),
    block_out_channels: widths,
    layers_per_block: layersPerBlock,
    mid_block_scale_factor: 1,
    downsample_padding: 1,
    act_fn: "silu",
    attention_head_dim: Math.min(headChannels, ...attending),
    norm_num_groups: widths.reduce(greatestCommonDivisor, GROUPS),
    norm_eps: 1e-5,
    resnet_time_scale_shift: "default",
    add_attention: true,
  });
}

/** Levels as long as the size halves evenly and is not small yet. @throws ShapeError for a large image of odd size. */
function defaultWidths({ channels, height, width }: { channels: number; height: number; width: number }): number[] {
  const base = channels === 1 ? BASE.grey : BASE.colour;
  const least = Math.min(height, width);
  let levels = 1;
  while (isEven({ height, width }, levels) && least / 2 ** (levels - 1) > SMALL_SIDE) levels += 1;
  if (levels === 1 && least > SMALL_SIDE) {
    const even = [height, width].map((pixels) => 4 * Math.ceil(pixels / 4)).join("x");
    throw new ShapeError(
      `unet: expected an even height and width, got ${height}x${width}; because levels halve the size. Do pad or resize the images to ${even}, or give one width for a net without levels.`,
    );
  }
  return Array.from({ length: levels }, (_, level) => base * Math.min(2 ** level, MOST_DOUBLED));
}

/** @throws ShapeError when the way down loses a row or column that the way up would need. */
function checkHalving(size: { height: number; width: number }, levels: number): void {
  const halvings = levels - 1;
  if (isEven(size, halvings)) return;
  let possible = 0;
  while (isEven(size, possible + 1)) possible += 1;
  throw new ShapeError(
    `unet: expected a height and width that ${2 ** halvings} divides, because ${levels} widths halve them ${times(halvings)}, ` +
      `got ${size.height}x${size.width}. Do give at most ${possible + 1}, or pad or resize the images.`,
  );
}

/** Whether both sides can be halved so often. */
function isEven({ height, width }: { height: number; width: number }, halvings: number): boolean {
  return height % 2 ** halvings === 0 && width % 2 ** halvings === 0;
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
