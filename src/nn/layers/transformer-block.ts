/** @file The block that vision transformers are made of. */
import type { ValueName } from "../../graph/ir.ts";
import type { Net } from "../net.ts";
import { activations } from "./activation.ts";
import { layerNorm } from "./layer-norm.ts";
import { addTokens, attendTokens, type Tokens, tokenLinear } from "./tokens.ts";

/** Settings of {@link transformerBlock}. */
export interface TransformerBlockOptions {
  /** Must divide the channels. */
  readonly heads: number;
  /** Channels between the two layers of the perceptron. */
  readonly hidden: number;
  /** Added to variances. */
  readonly eps: number;
  /** As that of {@link attendTokens}. */
  readonly keyBias?: ValueName | undefined;
}

/**
 * x + attention(norm(x)), then x + perceptron(norm(x)): `norm1`, `attn.qkv`, `attn.proj`, `norm2`, `mlp.fc1`, `mlp.fc2`
 * below the name. @throws FormatError as {@link Weights.take}.
 * @source Dosovitskiy et al. 2021, "An Image is Worth 16x16 Words", eq. 2 and 3. https://arxiv.org/abs/2010.11929; tensors as timm
 */
export function transformerBlock(net: Net, name: string, x: Tokens, options: TransformerBlockOptions): Tokens {
  const { heads, hidden, eps, keyBias } = options;
  const qkv = tokenLinear(net, `${name}.attn.qkv`, layerNorm(net, `${name}.norm1`, x, { eps }), 3 * x.channels);
  const mixed = tokenLinear(net, `${name}.attn.proj`, attendTokens(net, qkv, { heads, keyBias }), x.channels);
  const h = addTokens(net, x, mixed);
  const wide = tokenLinear(net, `${name}.mlp.fc1`, layerNorm(net, `${name}.norm2`, h, { eps }), hidden);
  const bent = { ...wide, value: activations.gelu(net.b, wide.value) };
  return addTokens(net, h, tokenLinear(net, `${name}.mlp.fc2`, bent, x.channels));
}
