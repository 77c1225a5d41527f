/** @file How an improved- or guided-diffusion U-Net is built, read off the names and shapes of its tensors. */
import { FormatError } from "../../core/errors.ts";
import type { Weights } from "../../nn/checkpoints/weights.ts";
import { numberedBlocks } from "./numbered-blocks.ts";
import type { OpenAiConfig } from "./openai-config.ts";

/** What stands in one place of `input_blocks` or `output_blocks`. */
export interface OpenAiBlock {
  /** Such as `input_blocks.3`. */
  readonly name: string;
  /** `down` (a strided convolution or a halving residual block) stands alone; `resnet` may have more behind it. */
  readonly kind: "resnet" | "down";
  readonly attention: boolean;
  /** What doubles the size behind the resnet and its attention: its index in the block, and whether it is a resnet. */
  readonly up: { readonly index: number; readonly kind: "conv" | "resnet" } | undefined;
}

/** The whole net. */
export interface OpenAiLayout {
  readonly inChannels: number;
  readonly outChannels: number;
  /** Channels of the first convolution and of the timestep's sinusoid. */
  readonly baseChannels: number;
  readonly resnetsPerLevel: number;
  readonly scaleShift: boolean;
  /** Whether sizes are changed by residual blocks. */
  readonly updown: boolean;
  /** 0 for an unconditional net. */
  readonly classes: number;
  /** After the first convolution. */
  readonly inputs: readonly OpenAiBlock[];
  readonly outputs: readonly OpenAiBlock[];
}

/**
 * Reads the layout off a checkpoint.
 * @throws FormatError when these are not the tensors of such a net.
 */
export function openAiLayout(weights: Weights): OpenAiLayout {
  const [baseChannels = 0, inChannels = 0] = dimsOf(weights, "input_blocks.0.0.weight", 4);
  const [outChannels = 0] = dimsOf(weights, "out.2.weight", 4);
  const outputs = numberedBlocks(weights, "output_blocks").map((name) => outputBlock(weights, name));
  const firstUp = outputs.findIndex(({ up }) => up !== undefined);
  const resnetsPerLevel = (firstUp === -1 ? outputs.length : firstUp + 1) - 1;
  const inputs = numberedBlocks(weights, "input_blocks")
    .slice(1)
    .map((name, i): OpenAiBlock => {
      const kind = (i + 1) % (resnetsPerLevel + 1) === 0 ? "down" : "resnet";
      return { name, kind, attention: weights.has(`${name}.1.qkv.weight`), up: undefined };
    });
  const [width = 0] = dimsOf(weights, "middle_block.0.out_layers.3.weight", 4);
  const [projected = 0] = dimsOf(weights, "middle_block.0.emb_layers.1.weight", 2);
  return {
    inChannels,
    outChannels,
    baseChannels,
    resnetsPerLevel,
    scaleShift: projected === 2 * width,
    updown: outputs.some(({ up }) => up?.kind === "resnet"),
    classes: weights.has("label_emb.weight") ? (dimsOf(weights, "label_emb.weight", 2)[0] ?? 0) : 0,
    inputs,
    outputs,
  };
}

/** @throws FormatError naming the first argument that says something else than the checkpoint. */
export function refuseContradictions(config: OpenAiConfig, layout: OpenAiLayout, name = "config.json"): void {
  const shown = {
    num_channels: layout.baseChannels,
    num_res_blocks: layout.resnetsPerLevel,
    learn_sigma: layout.outChannels === 2 * layout.inChannels,
    class_cond: layout.classes > 0,
    use_scale_shift_norm: layout.scaleShift,
    resblock_updown: layout.updown,
  };
  for (const [key, value] of Object.entries(shown)) {
    const said = config[key];
    // Without levels there is nothing to change the size of, so the flag leaves no trace.
    const moot = key === "resblock_updown" && layout.outputs.every(({ up }) => up === undefined);
    if (said === undefined || said === value || moot) continue;
    throw new FormatError(`${name}: "${key}": expected ${value}, as the tensors of the checkpoint show, got ${said}.`);
  }
}

function outputBlock(weights: Weights, name: string): OpenAiBlock {
  const attention = weights.has(`${name}.1.qkv.weight`);
  const index = attention ? 2 : 1;
  const resnet = weights.has(`${name}.${index}.in_layers.0.weight`);
  const conv = weights.has(`${name}.${index}.conv.weight`);
  const up = resnet || conv ? ({ index, kind: resnet ? "resnet" : "conv" } as const) : undefined;
  return { name, kind: "resnet", attention, up };
}

function dimsOf(weights: Weights, name: string, rank: number): readonly number[] {
  const dims = weights.dimsOf(name);
  if (dims?.length === rank) return dims;
  const got = dims === undefined ? "none of that name" : `[${dims.join(", ")}]`;
  throw new FormatError(
    `${weights.subject}: expected tensor "${name}" of rank ${rank}, as OpenAI's U-Nets have it, got ${got}.`,
  );
}
