/** @file Layer normalisation of tokens. */
import { float, int } from "../../graph/builder.ts";
import type { Net } from "../net.ts";
import type { Tokens } from "./tokens.ts";

/**
 * Normalises every token to mean 0 and variance 1, then scales and shifts each channel by `name.weight` and `name.bias`.
 * @throws FormatError as {@link Weights.take}.
 * @source Ba et al. 2016, "Layer Normalization". https://arxiv.org/abs/1607.06450
 */
export function layerNorm(net: Net, name: string, x: Tokens, { eps }: { readonly eps: number }): Tokens {
  const { b, weights } = net;
  const scale = b.weight(`${name}.weight`, weights.take(`${name}.weight`, [x.channels]));
  const shift = b.weight(`${name}.bias`, weights.take(`${name}.bias`, [x.channels]));
  const value = b.op("LayerNormalization", [x.value, scale, shift], { axis: int(-1), epsilon: float(eps) });
  return { ...x, value };
}
