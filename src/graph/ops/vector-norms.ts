/** @file Gradients of divisions by a length: of a vector, of its root mean square, of a window of channels. */
import { floatOf, intOf } from "../attributes.ts";
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import { type AxisMatrix, applyAdjoint } from "./axis-matrix.ts";
import { transposeMatrix } from "./kernels.ts";
import type { Operators, Site } from "./operator.ts";

/** RMSNormalization, LpNormalization, local response normalisation. */
export const vectorNorms = {
  /** y = n s with n = x / rms(x). */
  RMSNormalization: {
    vjp: ({ w, x, node, dims }, dy) => {
      const named = intOf(node, "axis", -1);
      const first = named < 0 ? named + dims(0).length : named;
      const axes = [...dims(0).keys()].slice(first);
      const power = w.add(w.mean(w.square(at(x, 0)), axes), floatOf(node, "epsilon", 1e-5));
      const inverse = w.op("Reciprocal", [w.op("Sqrt", [power])]);
      const normal = w.mul(at(x, 0), inverse);
      const scaled = w.mul(dy, at(x, 1));
      const along = w.mul(normal, w.mean(w.mul(scaled, normal), axes));
      return [w.mul(inverse, w.sub(scaled, along)), w.unbroadcast(w.mul(dy, normal), dims(0), dims(1))];
    },
  },
  /** y = x / |x|; a vector of length zero has no gradient. */
  LpNormalization: {
    vjp: ({ w, x, y, node, dims }, dy) => {
      const named = intOf(node, "axis", -1);
      const axis = named < 0 ? named + dims(0).length : named;
      const p = intOf(node, "p", 2);
      const length = w.op(p === 1 ? "ReduceL1" : "ReduceL2", [at(x, 0), w.builder.ints(axis)]);
      const along = w.sum(w.mul(dy, at(y, 0)), [axis], true);
      const direction = p === 1 ? w.op("Sign", [at(x, 0)]) : at(y, 0);
      const isZero = w.op("Equal", [length, 0]);
      const slope = w.div(w.sub(dy, w.mul(direction, along)), w.where(isZero, 1, length));
      return [w.where(isZero, 0, slope)];
    },
  },
  /** y = x s^-b with s = k + a / n (sum of x^2 over n neighbouring channels). */
  LRN: {
    vjp: (site, dy) => {
      const { w, x, y, node } = site;
      const [size, beta] = [intOf(node, "size", 1), floatOf(node, "beta", 0.75)];
      const rate = floatOf(node, "alpha", 1e-4) / size;
      const { matrix, transposed } = channelWindows(site, size);
      const over = (value: ValueName, m: AxisMatrix): ValueName =>
        applyAdjoint(w, value, { matrix: m, dims: site.dims(0), axis: 1 });
      const sum = w.add(w.mul(over(w.square(at(x, 0)), transposed), rate), floatOf(node, "bias", 1));
      const spread = over(w.div(w.mul(dy, at(y, 0)), sum), matrix);
      const own = w.mul(dy, w.op("Pow", [sum, -beta]));
      return [w.sub(own, w.mul(w.mul(at(x, 0), spread), 2 * rate * beta))];
    },
  },
} satisfies Operators;

/** Which channels each channel looks at: half of the others before, the rest behind. */
function channelWindows(site: Site, size: number): { matrix: AxisMatrix; transposed: AxisMatrix } {
  const channels = at(site.dims(0), 1);
  const [before, behind] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)];
  const values = Float64Array.from({ length: channels * channels }, (_, i) => {
    const distance = (i % channels) - Math.floor(i / channels);
    return distance >= -before && distance <= behind ? 1 : 0;
  });
  const square = { outputs: channels, inputs: channels };
  return {
    matrix: { ...square, values },
    transposed: { ...square, values: transposeMatrix(values, channels, channels) },
  };
}
