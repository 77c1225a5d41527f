/**
 * @file The U-Net that SampDetox's authors train (`UNet(T, ch, ch_mult, attn, num_res_blocks, dropout)`), from its
 * `.pt` file. Its whole layout shows in the names and shapes of its tensors:
 *
 * | tensors                              | what                                                              |
 * |--------------------------------------|-------------------------------------------------------------------|
 * | `time_embedding.timembedding.0`      | table [T, ch] of sinusoids; `.1`, `.3`: linear, swish, linear      |
 * | `head`                               | 3x3 convolution                                                   |
 * | `downblocks.i.main`                  | 3x3 convolution, stride 2, padding 1                              |
 * | `upblocks.i.main`                    | nearest doubling, 3x3 convolution                                 |
 * | `….block1.0`, `.2`                   | group norm, swish, 3x3 convolution                                |
 * | `….temb_proj.1`                      | swish, linear; added before block2                                |
 * | `….block2.0`, `.3`                   | group norm, swish, 3x3 convolution                                |
 * | `….shortcut`                         | 1x1 convolution, where channels differ                            |
 * | `….attn.{group_norm,proj_q,proj_k,proj_v,proj}` | one head over all channels, after the residual sum     |
 * | `middleblocks.0`, `.1`               | residual blocks, the first with attention                         |
 * | `tail.0`, `.2`                       | group norm, swish, 3x3 convolution                                |
 *
 * Group norms have 32 groups and eps 1e-5. Every block's result skips over, strided ones too.
 * @source easywood0204/SampDetox, diffusion/Diffusion (the layout of zoubohao/DenoisingDiffusionProbabilityModel-ddpm-, Model.py)
 */
import { FormatError } from "../../core/errors.ts";
import { int } from "../../graph/builder.ts";
import type { Weights } from "../../nn/checkpoints/weights.ts";
import { activate } from "../../nn/layers/activation.ts";
import { conv2d, linear } from "../../nn/layers/conv.ts";
import { concatChannels } from "../../nn/layers/elementwise.ts";
import { groupNorm } from "../../nn/layers/group-norm.ts";
import { tableEmbedding } from "../../nn/layers/time-embedding.ts";
import { projectTime } from "../../nn/layers/time-projections.ts";
import { upsampleConv } from "../../nn/layers/upsample-conv.ts";
import type { FeatureMap } from "../../nn/net.ts";
import { type AttentionNames, attentionBlock } from "./attention-block.ts";
import { numberedBlocks } from "./numbered-blocks.ts";
import { type ResnetNames, type ResnetStyle, resnetBlock } from "./resnet-block.ts";
import { nextSkip, type UNetGraph, type UNetInputs, writeUNet } from "./unet-graph.ts";

const groups = 32;
const eps = 1e-5;
const table = "time_embedding.timembedding.0";
const resnetNames: ResnetNames = {
  norm1: "block1.0",
  conv1: "block1.2",
  time: "temb_proj.1",
  norm2: "block2.0",
  conv2: "block2.3",
  shortcut: "shortcut",
};
const attentionNames: AttentionNames = { norm: "group_norm", qkv: ["proj_q", "proj_k", "proj_v"], out: "proj" };

/** Whether a checkpoint is of this layout. */
export function isSampDetox(weights: Weights): boolean {
  return weights.has(`${table}.weight`);
}

/**
 * Writes the U-Net as a graph.
 * @throws FormatError when a tensor is missing, has a wrong shape or is not finite, or has no place in the layout.
 */
export function sampDetoxUNet(weights: Weights, size: { readonly height: number; readonly width: number }): UNetGraph {
  const [base = 0, channels = 0] = weights.dimsOf("head.weight") ?? [];
  const [steps = 0] = weights.dimsOf(`${table}.weight`) ?? [];
  if (base === 0 || channels === 0 || steps === 0) {
    throw new FormatError(
      `${weights.subject}: expected tensors "head.weight" and "${table}.weight", got none or empty ones.`,
    );
  }
  const body = (inputs: UNetInputs): FeatureMap => writeBody(inputs, { base, channels, steps });
  return writeUNet(weights, { channels, ...size }, { tableRows: steps, body });
}

function writeBody(
  { net, sample, timestep }: UNetInputs,
  { base, channels, steps }: { base: number; channels: number; steps: number },
): FeatureMap {
  const { weights } = net;
  const wide = 4 * base;
  const index = net.b.op("Cast", [timestep], { to: int(7) });
  const waves = tableEmbedding(net, table, index, { rows: steps, channels: base });
  const hidden = activate(net, "silu", linear(net, [{ name: "time_embedding.timembedding.1", channels: wide }], waves));
  const time = linear(net, [{ name: "time_embedding.timembedding.3", channels: wide }], hidden);
  const projections = projectTime(net, ".temb_proj.1", activate(net, "silu", time));
  const style: ResnetStyle = { net, names: resnetNames, time: projections, act: "silu", eps, scaleShift: false };
  const block = (name: string, x: FeatureMap): FeatureMap => {
    const out = weights.dimsOf(`${name}.block2.3.weight`)?.[0] ?? x.channels;
    const h = resnetBlock(style, name, x, { channels: out, groups: [groups, groups] });
    if (!weights.has(`${name}.attn.proj.weight`)) return h;
    return attentionBlock(net, `${name}.attn`, h, {
      names: attentionNames,
      heads: 1,
      order: "kind-major",
      groups,
      eps,
    });
  };

  let h = conv2d(net, "head", sample, { channels: base });
  const skips = [h];
  for (const name of numberedBlocks(weights, "downblocks")) {
    const strided = weights.has(`${name}.main.weight`);
    h = strided
      ? conv2d(net, `${name}.main`, h, { channels: h.channels, stride: 2, pads: [1, 1, 1, 1] })
      : block(name, h);
    skips.push(h);
  }
  for (const name of numberedBlocks(weights, "middleblocks")) h = block(name, h);
  for (const name of numberedBlocks(weights, "upblocks")) {
    const doubles = weights.has(`${name}.main.weight`);
    h = doubles ? upsampleConv(net, `${name}.main`, h) : block(name, concatChannels(net, h, nextSkip(skips)));
  }
  const even = activate(net, "silu", groupNorm(net, "tail.0", h, { groups, eps }));
  return conv2d(net, "tail.2", even, { channels });
}
