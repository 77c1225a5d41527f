/** @file Batch normalisation, in the form that inference uses; training rewrites the nodes. */
import { float } from "../../graph/builder.ts";
import { type FeatureMap, mapValue, type Net } from "../net.ts";

/** Settings of {@link batchNorm}. */
export interface BatchNormOptions {
  /** How much of every batch enters the statistics, as PyTorch counts it. @default 0.1 */
  readonly momentum?: number;
}

/**
 * Normalises each channel by stored statistics, then scales and shifts it: `name.running_mean`, `name.running_var`,
 * `name.weight`, `name.bias`.
 * @throws FormatError as {@link Weights.take}.
 * @source Ioffe and Szegedy 2015, "Batch Normalization". https://arxiv.org/abs/1502.03167
 */
export function batchNorm(
  net: Net,
  name: string,
  x: FeatureMap,
  { momentum = 0.1 }: BatchNormOptions = {},
): FeatureMap {
  const { b, weights } = net;
  const parts = ["weight", "bias", "running_mean", "running_var"].map((part) =>
    b.weight(`${name}.${part}`, weights.take(`${name}.${part}`, [x.channels])),
  );
  const attributes = { epsilon: float(1e-5), momentum: float(1 - momentum) };
  return mapValue(x, b.op("BatchNormalization", [x.value, ...parts], attributes));
}
