/** @file The `config.json` of diffusers' `UNet2DModel`: untrusted input, absent keys mean diffusers' defaults. */
import { z } from "zod";
import { FormatError } from "../../core/errors.ts";
import { type ActivationName, activations } from "../../nn/layers/activation.ts";

const channelCount = z.int().min(1).max(65_536);
const levelCount = 16;

const downBlocks = [
  "DownBlock2D",
  "AttnDownBlock2D",
  "ResnetDownsampleBlock2D",
  "SkipDownBlock2D",
  "AttnSkipDownBlock2D",
] as const;
const upBlocks = ["UpBlock2D", "AttnUpBlock2D", "ResnetUpsampleBlock2D", "SkipUpBlock2D", "AttnSkipUpBlock2D"] as const;

/** Old configs write every block's name with the prefix `UNetRes`. */
const blockNames = <const Names extends readonly [string, ...string[]]>(names: Names) =>
  z
    .array(z.preprocess((name) => (typeof name === "string" ? name.replace(/^UNetRes/, "") : name), z.enum(names)))
    .min(1)
    .max(levelCount);

const configSchema = z.looseObject({
  sample_size: z.union([channelCount, z.tuple([channelCount, channelCount])]).nullish(),
  in_channels: channelCount.default(3),
  out_channels: channelCount.default(3),
  center_input_sample: z.boolean().default(false),
  time_embedding_type: z.enum(["positional", "fourier", "learned"]).default("positional"),
  time_embedding_dim: channelCount.nullish(),
  freq_shift: z.number().default(0),
  flip_sin_to_cos: z.boolean().default(true),
  down_block_types: blockNames(downBlocks).default([
    "DownBlock2D",
    "AttnDownBlock2D",
    "AttnDownBlock2D",
    "AttnDownBlock2D",
  ]),
  mid_block_type: z.literal("UNetMidBlock2D").nullable().default("UNetMidBlock2D"),
  up_block_types: blockNames(upBlocks).default(["AttnUpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"]),
  block_out_channels: z.array(channelCount).min(1).max(levelCount).default([224, 448, 672, 896]),
  layers_per_block: z.int().min(1).max(64).default(2),
  mid_block_scale_factor: z.number().positive().default(1),
  downsample_padding: z.int().min(0).max(1).default(1),
  downsample_type: z.enum(["conv", "resnet"]).default("conv"),
  upsample_type: z.enum(["conv", "resnet"]).default("conv"),
  act_fn: z.enum(Object.keys(activations) as [ActivationName, ...ActivationName[]]).default("silu"),
  attention_head_dim: channelCount.nullable().default(8),
  norm_num_groups: channelCount.nullable().default(32),
  attn_norm_num_groups: channelCount.nullish(),
  norm_eps: z.number().positive().default(1e-5),
  resnet_time_scale_shift: z.enum(["default", "scale_shift"]).default("default"),
  class_embed_type: z.enum(["timestep", "identity"]).nullish(),
  num_class_embeds: channelCount.nullish(),
  num_train_timesteps: channelCount.nullish(),
  add_attention: z.boolean().default(true),
});

/** Every option of the net, complete. */
export type UNet2DConfig = z.output<typeof configSchema>;
/** Name of a block on the way down. */
export type DownBlockName = (typeof downBlocks)[number];
/** Name of a block on the way up. */
export type UpBlockName = (typeof upBlocks)[number];

/**
 * Checks the parsed JSON of a `UNet2DModel`'s config.
 * @param name the file, for messages.
 * @throws FormatError naming the key that is out of range, or the two that contradict each other.
 */
export function parseUNet2DConfig(config: unknown, name = "unet/config.json"): UNet2DConfig {
  const parsed = configSchema.safeParse(config);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new FormatError(`${name}: "${issue?.path.join(".")}": ${issue?.message}.`);
  }
  const { data } = parsed;
  const levels = data.block_out_channels.length;
  for (const key of ["down_block_types", "up_block_types"] as const) {
    if (data[key].length !== levels) {
      throw new FormatError(
        `${name}: expected ${levels} entries in "${key}", one for each of "block_out_channels", got ${data[key].length}.`,
      );
    }
  }
  if (data.time_embedding_type === "learned" && !data.num_train_timesteps) {
    throw new FormatError(`${name}: expected "num_train_timesteps" with a learned time embedding, got none.`);
  }
  return data;
}
