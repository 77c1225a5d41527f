/** @file The last layer of a classifier. */
import { int } from "../../graph/builder.ts";
import type { ValueName } from "../../graph/ir.ts";
import type { FeatureMap, Net } from "../net.ts";

/**
 * Scores of the classes, [N, classes], from one vector per image: `name.weight` [classes, x.channels] and `name.bias`.
 *
 * A matrix product, as exporters write it, and not a convolution like {@link linear}: training and every tool that looks
 * for the last layer take it so. Its weights are stored, which keeps an image's scores independent of its batch.
 * @throws FormatError as {@link Weights.take}.
 */
export function classScores(net: Net, name: string, x: FeatureMap, classes: number): ValueName {
  const { b, weights } = net;
  const weight = b.weight(`${name}.weight`, weights.take(`${name}.weight`, [classes, x.channels]));
  const bias = b.weight(`${name}.bias`, weights.take(`${name}.bias`, [classes]));
  return b.op("Gemm", [b.op("Flatten", [x.value], { axis: int(1) }), weight, bias], { transB: int(1) });
}
