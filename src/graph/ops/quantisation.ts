/**
 * @file Gradients through 8 and 16 bit numbers, straight through: as if nothing had been rounded, and zero where a value
 * was cut off. Scales and zero points get none.
 * @source Bengio et al. 2013, "Estimating or Propagating Gradients Through Stochastic Neurons", the straight-through estimator.
 */
import type { DType } from "../../tensor/tensor.ts";
import { intOf } from "../attributes.ts";
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import type { Operators, Site } from "./operator.ts";

/** Ranges of the types that values are quantised to. */
const ranges: Partial<Record<DType, readonly [number, number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
};

/** QuantizeLinear and DequantizeLinear, with one scale or one per position of an axis. */
export const quantisation = {
  QuantizeLinear: {
    vjp: (site, dy) => {
      const { w, x } = site;
      const range = ranges[site.has(2) ? site.dtype(2) : "uint8"];
      if (range === undefined) throw site.refuse(`a zero point of 8 or 16 bits, got ${site.dtype(2)}`);
      const scale = alongAxis(site, at(x, 1));
      const zero = site.has(2) ? alongAxis(site, w.cast(at(x, 2), w.dtype)) : w.value(0);
      const level = w.add(w.div(at(x, 0), scale), zero);
      const above = w.op("Greater", [level, range[0] - 0.5]);
      const inside = w.op("And", [above, w.op("Less", [level, range[1] + 0.5])]);
      return [w.where(inside, w.div(dy, scale), 0)];
    },
  },
  DequantizeLinear: { vjp: (site, dy) => [site.w.mul(dy, alongAxis(site, at(site.x, 1)))] },
} satisfies Operators;

/** Scales to be broadcast over x. */
function alongAxis(site: Site, values: ValueName): ValueName {
  const scales = site.dims(1);
  if (scales.length === 0) return values;
  if (scales.length > 1)
    throw site.refuse(`one scale or one per position of an axis, got scales [${scales.join(", ")}]`);
  const rank = site.dims(0).length;
  const named = intOf(site.node, "axis", 1);
  const axis = named < 0 ? named + rank : named;
  return at(scales, 0) === 1
    ? values
    : site.w.reshape(values, [at(scales, 0), ...Array<number>(rank - axis - 1).fill(1)]);
}
