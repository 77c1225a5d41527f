/** @file Gradients of smooth functions of one number, from y where that is cheaper than from x. */
import { floatOf, stringOf } from "../attributes.ts";
import type { ValueName } from "../ir.ts";
import { type Operators, unary } from "./operator.ts";
import type { Writer } from "./writer.ts";

/** Exponentials, trigonometry, smooth activations. */
export const functions = {
  Exp: unary((w, dy, { y }) => w.mul(dy, y)),
  Log: unary((w, dy, { x }) => w.div(dy, x)),
  Sqrt: unary((w, dy, { y }) => w.div(dy, w.mul(y, 2))),
  Reciprocal: unary((w, dy, { y }) => w.neg(w.mul(dy, w.square(y)))),
  Sin: unary((w, dy, { x }) => w.mul(dy, w.op("Cos", [x]))),
  Cos: unary((w, dy, { x }) => w.neg(w.mul(dy, w.op("Sin", [x])))),
  Tan: unary((w, dy, { y }) => w.mul(dy, w.add(w.square(y), 1))),
  Asin: unary((w, dy, { x }) => w.div(dy, w.op("Sqrt", [w.sub(1, w.square(x))]))),
  Acos: unary((w, dy, { x }) => w.neg(w.div(dy, w.op("Sqrt", [w.sub(1, w.square(x))])))),
  Atan: unary((w, dy, { x }) => w.div(dy, w.add(w.square(x), 1))),
  Sinh: unary((w, dy, { x }) => w.mul(dy, w.op("Cosh", [x]))),
  Cosh: unary((w, dy, { x }) => w.mul(dy, w.op("Sinh", [x]))),
  Asinh: unary((w, dy, { x }) => w.div(dy, w.op("Sqrt", [w.add(w.square(x), 1)]))),
  Acosh: unary((w, dy, { x }) => w.div(dy, w.op("Sqrt", [w.sub(w.square(x), 1)]))),
  Atanh: unary((w, dy, { x }) => w.div(dy, w.sub(1, w.square(x)))),
  Tanh: unary((w, dy, { y }) => w.mul(dy, w.sub(1, w.square(y)))),
  Sigmoid: unary((w, dy, { y }) => w.mul(dy, w.sub(y, w.square(y)))),
  Erf: unary((w, dy, { x }) => w.mul(w.mul(dy, gaussian(w, x, 1)), 2 / Math.sqrt(Math.PI))),
  Softplus: unary((w, dy, { x }) => w.mul(dy, w.op("Sigmoid", [x]))),
  Softsign: unary((w, dy, { x }) => w.div(dy, w.square(w.add(w.op("Abs", [x]), 1)))),
  Gelu: unary((w, dy, { x, node }) => {
    const slope = stringOf(node, "approximate", "none") === "tanh" ? tanhGeluSlope(w, x) : geluSlope(w, x);
    return w.mul(dy, slope);
  }),
  /** x tanh(softplus(x)) */
  Mish: unary((w, dy, { x }) => {
    const t = w.op("Tanh", [w.op("Softplus", [x])]);
    const bend = w.mul(w.sub(1, w.square(t)), w.op("Sigmoid", [x]));
    return w.mul(dy, w.add(t, w.mul(x, bend)));
  }),
  /** x sigmoid(alpha x) */
  Swish: unary((w, dy, { x, y, node }) => {
    const alpha = floatOf(node, "alpha", 1);
    const s = w.op("Sigmoid", [w.mul(x, alpha)]);
    return w.mul(dy, w.add(s, w.mul(w.sub(y, w.mul(y, s)), alpha)));
  }),
} satisfies Operators;

/** exp(-scale x^2) */
function gaussian(w: Writer, x: ValueName, scale: number): ValueName {
  return w.op("Exp", [w.mul(w.square(x), -scale)]);
}

/** Phi(x) + x phi(x) */
function geluSlope(w: Writer, x: ValueName): ValueName {
  const cdf = w.mul(w.add(w.op("Erf", [w.mul(x, Math.SQRT1_2)]), 1), 0.5);
  const pdf = w.mul(gaussian(w, x, 0.5), 1 / Math.sqrt(2 * Math.PI));
  return w.add(cdf, w.mul(x, pdf));
}

/** Of 0.5 x (1 + t) with t = tanh(k (x + 0.044715 x^3)). */
function tanhGeluSlope(w: Writer, x: ValueName): ValueName {
  const k = Math.sqrt(2 / Math.PI);
  const x2 = w.square(x);
  const t = w.op("Tanh", [w.mul(w.mul(x, w.add(w.mul(x2, 0.044715), 1)), k)]);
  const inner = w.mul(w.add(w.mul(x2, 3 * 0.044715), 1), k);
  return w.mul(w.add(w.add(t, 1), w.mul(x, w.mul(w.sub(1, w.square(t)), inner))), 0.5);
}
