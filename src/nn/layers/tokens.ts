/** @file Sequences of vectors per image: how transformers see a picture. */
import { int, ints } from "../../graph/builder.ts";
import type { ValueName } from "../../graph/ir.ts";
import type { FeatureMap, Net } from "../net.ts";
import { conv2d } from "./conv.ts";

/** A value [N, count, channels] of the graph; N is symbolic. */
export interface Tokens {
  readonly value: ValueName;
  readonly count: number;
  readonly channels: number;
}

/**
 * One token for each square patch, row by row: `name.weight` [channels, x.channels, patch, patch] and `name.bias`.
 * Rows and columns that fill no patch are dropped. @throws FormatError as {@link Weights.take}.
 */
export function patchTokens(
  net: Net,
  name: string,
  x: FeatureMap,
  { patch, channels }: { readonly patch: number; readonly channels: number },
): Tokens {
  const map = conv2d(net, name, x, { channels, kernel: patch, stride: patch, pads: [0, 0, 0, 0] });
  const count = map.height * map.width;
  const rows = net.b.op("Reshape", [map.value, net.b.ints(0, channels, count)]);
  return { value: net.b.op("Transpose", [rows], { perm: ints(0, 2, 1) }), count, channels };
}

/**
 * A linear layer over the channels of every token: `name.weight` [channels, x.channels] and `name.bias`.
 * @throws FormatError as {@link Weights.take}.
 */
export function tokenLinear(net: Net, name: string, x: Tokens, channels: number): Tokens {
  const { b, weights } = net;
  const weight = b.weight(`${name}.weight`, weights.take(`${name}.weight`, [channels, x.channels]));
  const bias = b.weight(`${name}.bias`, weights.take(`${name}.bias`, [channels]));
  const product = b.op("MatMul", [x.value, b.op("Transpose", [weight], { perm: ints(1, 0) })]);
  return { ...x, channels, value: b.op("Add", [product, bias]) };
}

/** The sum of two sequences of the same dims. */
export function addTokens({ b }: Net, x: Tokens, y: Tokens): Tokens {
  return { ...x, value: b.op("Add", [x.value, y.value]) };
}

/** One token of every image, as a vector per image. */
export function pickToken({ b }: Net, { value, channels }: Tokens, index: number): FeatureMap {
  const token = b.op("Slice", [value, b.ints(index), b.ints(index + 1), b.ints(1)]);
  return { value: b.op("Reshape", [token, b.ints(0, channels, 1, 1)]), channels, height: 1, width: 1 };
}

/** Settings of {@link attendTokens}. */
export interface TokenAttention {
  readonly heads: number;
  /** Added to the scores of every key, [N, 1, 1, count]: a large negative number hides a token. Zeros when left out. */
  readonly keyBias?: ValueName | undefined;
}

/**
 * Self-attention between the tokens, given queries, keys and values on the channel axis in this order, each head-major.
 * @param qkv 3 heads d channels. @returns heads d channels.
 * @source Vaswani et al. 2017, "Attention Is All You Need", eq. 1. https://arxiv.org/abs/1706.03762
 */
export function attendTokens({ b }: Net, qkv: Tokens, { heads, keyBias }: TokenAttention): Tokens {
  const { count } = qkv;
  const [kinds, channels] = [3, qkv.channels / 3];
  const depth = channels / heads;
  const perHead = b.op("Reshape", [qkv.value, b.ints(0, count, kinds * heads, depth)]);
  const [q = "", k = "", v = ""] = b.ops(
    "Split",
    [b.op("Transpose", [perHead], { perm: ints(0, 2, 1, 3) })],
    { axis: int(1), num_outputs: int(kinds) },
    { outputs: kinds },
  ); // each [N, heads, count, depth]
  const scaled = b.op("Mul", [q, b.float(1 / Math.sqrt(depth))]);
  const products = b.op("MatMul", [scaled, b.op("Transpose", [k], { perm: ints(0, 1, 3, 2) })]);
  const scores = keyBias === undefined ? products : b.op("Add", [products, keyBias]);
  const seen = b.op("MatMul", [b.op("Softmax", [scores], { axis: int(-1) }), v]);
  const joined = b.op("Transpose", [seen], { perm: ints(0, 2, 1, 3) });
  return { ...qkv, channels, value: b.op("Reshape", [joined, b.ints(0, count, channels)]) };
}
