/** @file Self-attention over the pixels of a feature map, given its queries, keys and values. */
import { int, ints } from "../../graph/builder.ts";
import type { FeatureMap, Net } from "../net.ts";

/** Settings of {@link attend}. */
export interface AttentionOptions {
  readonly heads: number;
  /**
   * How the channels of qkv are ordered: `kind-major` has the queries of all heads, then all keys, then all values;
   * `head-major` has for each head its queries, keys and values.
   */
  readonly order: "kind-major" | "head-major";
}

/**
 * softmax(q^T k / sqrt(d)) over all pixels, applied to v, for each head of d channels.
 * @param qkv 3 heads d channels. @returns heads d channels of the same size, head-major.
 * @source Vaswani et al. 2017, "Attention Is All You Need", eq. 1. https://arxiv.org/abs/1706.03762
 */
export function attend({ b }: Net, qkv: FeatureMap, { heads, order }: AttentionOptions): FeatureMap {
  const [kinds, pixels] = [3, qkv.height * qkv.width];
  const depth = qkv.channels / (kinds * heads);
  const kindMajor = order === "kind-major";
  const layout = kindMajor ? b.ints(0, kinds * heads, depth, pixels) : b.ints(0, heads, kinds * depth, pixels);
  const [q = "", k = "", v = ""] = b.ops(
    "Split",
    [b.op("Reshape", [qkv.value, layout])],
    { axis: int(kindMajor ? 1 : 2), num_outputs: int(kinds) },
    { outputs: kinds },
  ); // each [N, heads, depth, pixels]
  const swap = { perm: ints(0, 1, 3, 2) };
  const scores = b.op("Mul", [b.op("MatMul", [b.op("Transpose", [q], swap), k]), b.float(1 / Math.sqrt(depth))]);
  const shares = b.op("Softmax", [scores], { axis: int(-1) }); // [N, heads, pixels (query), pixels (key)]
  const seen = b.op("MatMul", [v, b.op("Transpose", [shares], swap)]); // [N, heads, depth, pixels]
  const channels = heads * depth;
  return { ...qkv, channels, value: b.op("Reshape", [seen, b.ints(0, channels, qkv.height, qkv.width)]) };
}
