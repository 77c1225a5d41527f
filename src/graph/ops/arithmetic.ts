/** @file Gradients of arithmetic with broadcasting. */
import { toNumbers } from "../../tensor/tensor.ts";
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import { broadcasting, type Operators, type Site, unary } from "./operator.ts";

/** Sums, products, powers, extremes, choices. */
export const arithmetic = {
  Add: broadcasting((_, dy) => [dy, dy]),
  Sub: broadcasting(({ w }, dy) => [dy, w.neg(dy)]),
  Mul: broadcasting((site, dy) => {
    const [a, b] = operands(site);
    const gated = gateOf(site);
    // x * sigmoid(x): d = s + y - y s, which is quicker than the sum of the two paths.
    if (gated !== undefined) {
      const { w } = site;
      const y = at(site.y, 0);
      const s = at(site.x, 1 - gated);
      const slope = w.sub(w.add(s, y), w.mul(y, s));
      return gated === 0 ? [w.mul(dy, slope), undefined] : [undefined, w.mul(dy, slope)];
    }
    return [site.w.mul(dy, b), site.w.mul(dy, a)];
  }),
  Div: broadcasting((site, dy) => {
    const { w } = site;
    const [, b] = operands(site);
    const da = w.div(dy, b);
    return [da, w.neg(w.mul(da, at(site.y, 0)))];
  }),
  Pow: broadcasting((site, dy) => {
    const { w } = site;
    const [a] = operands(site);
    return [w.mul(dy, powerSlope(site)), site.needs(1) ? w.mul(dy, w.mul(at(site.y, 0), logOf(site, a))) : undefined];
  }),
  Neg: unary((w, dy) => w.neg(dy)),
  Abs: unary((w, dy, { x }) => w.mul(dy, w.op("Sign", [x]))),
  Sum: broadcasting(({ x }, dy) => x.map(() => dy)),
  Mean: broadcasting(({ w, x }, dy) => x.map(() => w.div(dy, x.length))),
  Max: broadcasting(extreme),
  Min: broadcasting(extreme),
  /** Steps by the divisor: between them, x moves the result as it moves itself. */
  Mod: broadcasting((site, dy) => {
    if (site.needs(1)) throw site.refuse("a divisor that does not depend on what is differentiated by, got one");
    return [dy, undefined];
  }),
  Where: broadcasting(({ w, x }, dy) => [undefined, w.where(at(x, 0), dy, 0), w.where(at(x, 0), 0, dy)]),
} satisfies Operators;

function operands({ x }: Site): [ValueName, ValueName] {
  return [at(x, 0), at(x, 1)];
}

/** Which operand of a product is the x of `x * sigmoid(x)`. */
function gateOf(site: Site): 0 | 1 | undefined {
  for (const i of [0, 1] as const) {
    const gate = site.producer(1 - i);
    if (gate?.op === "Sigmoid" && gate.domain === "" && gate.inputs[0] === site.node.inputs[i]) return i;
  }
  return undefined;
}

/** p x^(p-1); the exponent of a square is not computed. */
function powerSlope(site: Site): ValueName {
  const { w } = site;
  const [a, p] = operands(site);
  const exponent = site.constant(1);
  const values = exponent === undefined ? [] : toNumbers(exponent);
  if (exponent !== undefined && values.length === 1 && exponent.dtype !== "float16") {
    const value = at(values, 0);
    if (value === 2) return w.mul(a, 2);
    return w.mul(w.op("Pow", [a, value - 1]), value);
  }
  const power = site.dtype(1) === w.dtype ? p : w.cast(p, w.dtype);
  return w.mul(w.op("Pow", [a, w.sub(power, 1)]), power);
}

/** log x, and 0 where the base is 0, where x^p log x goes to 0. */
function logOf({ w }: Site, a: ValueName): ValueName {
  return w.op("Log", [w.where(w.op("Equal", [a, 0]), 1, a)]);
}

/** Ties share the gradient evenly. */
function extreme({ w, x, y }: Site, dy: ValueName): ValueName[] {
  const hits = x.map((operand) => w.equal(operand, at(y, 0)));
  const share =
    hits.length === 1
      ? dy
      : w.div(
          dy,
          hits.reduce((sum, hit) => w.add(sum, hit)),
        );
  return hits.map((hit) => w.mul(share, hit));
}
