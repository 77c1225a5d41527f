/** @file Gradients of activations made of pieces. At a kink the side is PyTorch's. */
import { floatOf } from "../attributes.ts";
import type { GraphNode, ValueName } from "../ir.ts";
import { at } from "./at.ts";
import { broadcasting, type Operators, type Site, unary } from "./operator.ts";
import type { Writer } from "./writer.ts";

/** SELU's constants as ONNX has them. */
const SELU_ALPHA = 1.6732631921768188;
const SELU_GAMMA = 1.0507010221481323;

/** ReLU and its relatives, clipping, shrinking. */
export const rectifiers = {
  /** Two casts make the mask: quicker than a comparison, and y is never negative. */
  Relu: unary((w, dy, { y }) => w.mul(dy, w.mask(w.cast(y, "bool")))),
  LeakyRelu: unary((w, dy, { x, node }) => w.where(positive(w, x), dy, w.mul(dy, floatOf(node, "alpha", 0.01)))),
  PRelu: broadcasting(({ w, x: [x = "", slope = ""] }, dy) => {
    const above = positive(w, x);
    return [w.where(above, dy, w.mul(dy, slope)), w.where(above, 0, w.mul(dy, x))];
  }),
  Elu: unary((w, dy, { x, y, node }) => w.where(positive(w, x), dy, w.mul(dy, w.add(y, floatOf(node, "alpha", 1))))),
  Selu: unary((w, dy, { x, y, node }) => {
    const gamma = floatOf(node, "gamma", SELU_GAMMA);
    const below = w.add(y, gamma * floatOf(node, "alpha", SELU_ALPHA));
    return w.mul(dy, w.where(positive(w, x), gamma, below));
  }),
  Celu: unary((w, dy, { x, y, node }) =>
    w.where(positive(w, x), dy, w.mul(dy, w.add(w.div(y, floatOf(node, "alpha", 1)), 1))),
  ),
  ThresholdedRelu: unary((w, dy, { x, node }) => w.where(w.op("Greater", [x, floatOf(node, "alpha", 1)]), dy, 0)),
  HardSigmoid: unary((w, dy, { y, node }) => w.mul(w.mul(dy, inside(w, y)), floatOf(node, "alpha", 0.2))),
  /** x h(x) with h = HardSigmoid(1/6, 1/2). */
  HardSwish: unary((w, dy, { x }) => {
    const attributes = { alpha: { kind: "float", value: 1 / 6 }, beta: { kind: "float", value: 0.5 } } as const;
    const h = w.op("HardSigmoid", [x], attributes);
    return w.mul(dy, w.add(h, w.mul(w.mul(x, inside(w, h)), 1 / 6)));
  }),
  Shrink: unary((w, dy, { x, node }) => w.where(w.op("Greater", [w.op("Abs", [x]), lambda(node)]), dy, 0)),
  Clip: { vjp: clip },
} satisfies Operators;

function positive(w: Writer, x: ValueName): ValueName {
  return w.op("Greater", [x, 0]);
}

/** 1 where 0 < y < 1. */
function inside(w: Writer, y: ValueName): ValueName {
  return w.mask(w.op("And", [positive(w, y), w.op("Less", [y, 1])]));
}

function lambda(node: GraphNode): number {
  return floatOf(node, "lambd", 0.5);
}

/** The bounds belong to the inside. Bounds that are computed get what falls on them. */
function clip(site: Site, dy: ValueName): (ValueName | undefined)[] {
  const { w } = site;
  const x = at(site.x, 0);
  const dx = w.mul(dy, w.equal(x, at(site.y, 0)));
  const bound = (input: number, beyond: string): ValueName | undefined => {
    if (!site.has(input) || !site.needs(input)) return undefined;
    const hits = w.where(w.op(beyond, [x, at(site.x, input)]), dy, 0);
    return w.unbroadcast(hits, site.outDims(), site.dims(input));
  };
  return [dx, bound(1, "Less"), bound(2, "Greater")];
}
