/** @file What layers are written on: a graph and its weights, and values whose channels and size are known. */
import type { GraphBuilder } from "../graph/builder.ts";
import type { ValueName } from "../graph/ir.ts";
import type { Weights } from "./checkpoints/weights.ts";

/** The network being written. Its initializers keep the names they have in the checkpoint. */
export interface Net {
  readonly b: GraphBuilder;
  readonly weights: Weights;
}

/** A value [N, channels, height, width] of the graph; N is symbolic. A vector per image has height and width 1. */
export interface FeatureMap {
  readonly value: ValueName;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** The same channels and size with another value: what elementwise operators return. */
export function mapValue(x: FeatureMap, value: ValueName): FeatureMap {
  return { ...x, value };
}
