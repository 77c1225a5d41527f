/**
 * @file The arguments of OpenAI's `create_model` that a checkpoint does not show by itself. Everything else (channels,
 * levels, where attention sits, learned variance…) is read off the tensors.
 */
import { z } from "zod";
import { FormatError } from "../../core/errors.ts";

const side = z.int().min(1).max(65_536);

const configSchema = z.looseObject({
  image_size: side,
  num_heads: z.int().min(1).max(4096).default(4),
  num_heads_upsample: z.int().min(-1).max(4096).default(-1),
  num_head_channels: z.int().min(-1).max(65_536).default(-1),
  use_new_attention_order: z.boolean().default(false),
  num_channels: z.int().optional(),
  num_res_blocks: z.int().optional(),
  learn_sigma: z.boolean().optional(),
  class_cond: z.boolean().optional(),
  use_scale_shift_norm: z.boolean().optional(),
  resblock_updown: z.boolean().optional(),
});

/** The arguments, complete; those that the tensors show are only compared with them. */
export type OpenAiConfig = z.output<typeof configSchema>;

/**
 * Checks the parsed JSON of the arguments. Absent keys mean the defaults of `create_model`.
 * @param name the file, for messages. @throws FormatError naming the key.
 * @source openai/guided-diffusion, script_util.py (`model_and_diffusion_defaults`)
 */
export function parseOpenAiConfig(config: unknown, name = "config.json"): OpenAiConfig {
  const parsed = configSchema.safeParse(config);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new FormatError(`${name}: "${issue?.path.join(".")}": ${issue?.message}.`);
}
