/** @file Activation functions. */
import type { GraphBuilder } from "../../graph/builder.ts";
import type { ValueName } from "../../graph/ir.ts";
import { type FeatureMap, mapValue, type Net } from "../net.ts";

type Activation = (b: GraphBuilder, x: ValueName) => ValueName;

/** x sigmoid(x), also called swish. @source Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415 */
const silu: Activation = (b, x) => b.op("Mul", [x, b.op("Sigmoid", [x])]);

/** Activations by the names that configs use. GELU is the exact one, with the error function. */
export const activations = {
  silu,
  swish: silu,
  relu: (b, x) => b.op("Relu", [x]),
  gelu: (b, x) => {
    const cdf = b.op("Add", [b.op("Erf", [b.op("Mul", [x, b.float(Math.SQRT1_2)])]), b.float(1)]);
    return b.op("Mul", [b.op("Mul", [x, cdf]), b.float(0.5)]);
  },
  mish: (b, x) => b.op("Mul", [x, b.op("Tanh", [b.op("Softplus", [x])])]),
} as const satisfies Record<string, Activation>;

/** One of {@link activations}. */
export type ActivationName = keyof typeof activations;

/** Applies an activation to every value. */
export function activate({ b }: Net, name: ActivationName, x: FeatureMap): FeatureMap {
  return mapValue(x, activations[name](b, x.value));
}
