/** @file Gradients of Conv and ConvTranspose with respect to what they slide over; weights are in `conv-weight.ts`. */
import { elementCount } from "../../tensor/shape.ts";
import { intOf, intsOf, stringOf } from "../attributes.ts";
import { int, ints } from "../builder.ts";
import type { Attribute, ValueName } from "../ir.ts";
import { at } from "./at.ts";
import { blockedConv, isBlockable } from "./blocked-conv.ts";
import { type ConvShapes, convAttributes } from "./conv-shapes.ts";
import { isSmall, smallForward, smallGradients } from "./conv-small.ts";
import { weightGradient } from "./conv-weight.ts";
import type { Operators, Site } from "./operator.ts";
import { isDense, reachOf, type Windows, windowsOf } from "./windows.ts";
import type { Writer } from "./writer.ts";

/** Convolutions of any number of spatial axes, strides, dilations and groups. */
export const convolutions = {
  Conv: {
    forward: (site) => {
      const { w, x, channelBlock } = site;
      const shapes = convShapes(site);
      if (!site.needs(1)) return undefined;
      if (isSmall(shapes)) return smallForward(site, shapes);
      if (channelBlock === undefined || !isBlockable(shapes, channelBlock)) return undefined;
      const inputs = { x: at(x, 0), weight: at(x, 1), bias: site.has(2) ? at(x, 2) : undefined };
      return { outputs: [blockedConv(w, inputs, shapes, channelBlock)], saved: [] };
    },
    vjp: (site, dy) => {
      const { w, x, needs, saved } = site;
      const shapes = convShapes(site);
      const db = needs(2) ? biasGradient(w, dy, shapes.output.length) : undefined;
      const [columns] = saved;
      if (columns !== undefined) return [...smallGradients(w, dy, { weight: at(x, 1), columns, shapes }), db];
      return [
        needs(0) ? inputGradient(site, dy, shapes) : undefined,
        needs(1) ? weightGradient(w, at(x, 0), dy, shapes) : undefined,
        db,
      ];
    },
  },
  /** A transposed convolution is the input gradient of a convolution: its own gradients are that convolution's. */
  ConvTranspose: {
    vjp: (site, dy) => {
      const { w, x, needs, dims, outDims } = site;
      const group = intOf(site.node, "group", 1);
      const windows = transposedWindows(site);
      const shapes: ConvShapes = { input: outDims(), weight: dims(1), output: dims(0), group, windows };
      return [
        needs(0) ? crop(w, w.op("Conv", [dy, at(x, 1)], convAttributes(windows, group)), shapes) : undefined,
        needs(1) ? weightGradient(w, dy, at(x, 0), shapes) : undefined,
        needs(2) ? biasGradient(w, dy, outDims().length) : undefined,
      ];
    },
  },
} satisfies Operators;

function convShapes({ node, dims, outDims }: Site): ConvShapes {
  const windows = windowsOf(node, dims(1).slice(2), dims(0).slice(2));
  return { input: dims(0), weight: dims(1), output: outDims(), group: intOf(node, "group", 1), windows };
}

function biasGradient(w: Writer, dy: ValueName, rank: number): ValueName {
  return w.sum(dy, [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2)]);
}

function inputGradient(site: Site, dy: ValueName, shapes: ConvShapes): ValueName {
  const { w, x } = site;
  const { windows, group, input, output } = shapes;
  const { kernel, strides, dilations, before, after } = windows;
  const weight = at(x, 1);
  // The engine orders constant weights itself.
  if (isDense(windows))
    return denseInputGradient(w, dy, weight, { ...shapes, block: site.needs(1) ? site.channelBlock : undefined });
  if (elementCount(kernel) === 1 && [...before, ...after].every((pad) => pad === 0)) {
    return interleaveZeros(w, pointwise(w, dy, weight, shapes), {
      from: [...input.slice(0, 2), ...output.slice(2)],
      to: input,
      strides,
    });
  }
  const outputPadding = kernel.map((_, i) => {
    const covered = (at(output, i + 2) - 1) * at(strides, i) + reachOf(kernel, dilations, i);
    return at(input, i + 2) + at(before, i) + at(after, i) - covered;
  });
  return w.op("ConvTranspose", [dy, weight], {
    ...convAttributes(windows, group),
    output_padding: ints(...outputPadding),
  });
}

/** A convolution with the flipped kernel. Padding that exceeds the kernel becomes cropping. */
function denseInputGradient(
  w: Writer,
  dy: ValueName,
  weight: ValueName,
  { block, ...shapes }: ConvShapes & { block: number | undefined },
): ValueName {
  const {
    windows,
    group,
    weight: [o = 1, c = 1],
  } = shapes;
  const { kernel, dilations } = windows;
  const reach = kernel.map((_, i) => reachOf(kernel, dilations, i) - 1);
  const before = reach.map((length, i) => length - at(windows.before, i));
  const after = reach.map((length, i) => length - at(windows.after, i));
  const cropOf = (pads: readonly number[]): number[] => [0, 0, ...pads.map((pad) => Math.min(pad, 0))];
  const rest = (pads: readonly number[]): number[] => pads.map((pad) => Math.max(pad, 0));
  const [image, kernels] = [w.pad(dy, cropOf(before), cropOf(after)), flipped(w, weight, shapes)];
  const around = { ...windows, before: rest(before), after: rest(after) };
  const back = { weight: [c * group, o / group, ...kernel], group, windows: around };
  return block !== undefined && isBlockable(back, block)
    ? blockedConv(w, { x: image, weight: kernels }, back, block)
    : w.op("Conv", [image, kernels], convAttributes(around, group));
}

/** The gradient at the positions that a 1x1 convolution with strides has looked at. */
function pointwise(w: Writer, dy: ValueName, weight: ValueName, shapes: ConvShapes): ValueName {
  return w.op("Conv", [dy, flipped(w, weight, shapes)], { group: int(shapes.group) });
}

/** [O, C/g, …] → [C, O/g, …], taps in reverse order. The reversal is a product with a small matrix: a Gather is slower. */
function flipped(w: Writer, weight: ValueName, { weight: dims, group, windows: { kernel } }: ConvShapes): ValueName {
  const [o, c] = [at(dims, 0) / group, at(dims, 1)];
  const taps = elementCount(kernel);
  const moves = o > 1 && c > 1;
  const swapped = moves ? w.transpose(w.reshape(weight, [group, o, c, taps]), [0, 2, 1, 3]) : weight;
  const target = [group * c, o, ...kernel];
  if (taps === 1) return w.reshape(swapped, target);
  const reversal = Array.from({ length: taps ** 2 }, (_, i) =>
    Math.floor(i / taps) + (i % taps) === taps - 1 ? 1 : 0,
  );
  const rows = w.reshape(swapped, [group * c * o, taps]);
  return w.reshape(w.matmul(rows, w.tensor([taps, taps], reversal)), target);
}

/** Puts values `strides` apart, zeros between: reshape, pad, reshape. */
function interleaveZeros(
  w: Writer,
  value: ValueName,
  { from, to, strides }: { from: readonly number[]; to: readonly number[]; strides: readonly number[] },
): ValueName {
  const [n, c, ...space] = from;
  const split = [n ?? 1, c ?? 1, ...space.flatMap((dim) => [dim, 1])];
  const none = split.map(() => 0);
  const gaps = [0, 0, ...strides.flatMap((stride) => [0, stride - 1])];
  const spread = [n ?? 1, c ?? 1, ...space.map((dim, i) => dim * at(strides, i))];
  const zeros = w.reshape(w.pad(w.reshape(value, split), none, gaps), spread);
  return w.pad(
    zeros,
    to.map(() => 0),
    to.map((dim, i) => dim - at(spread, i)),
  );
}

/** Output padding of the length of a stride or more makes the adjoint longer than what it came from. */
function crop(w: Writer, value: ValueName, { input, output, windows }: ConvShapes): ValueName {
  const { kernel, strides, dilations, before, after } = windows;
  const excess = kernel.map((_, i) => {
    const room = at(input, i + 2) + at(before, i) + at(after, i) - reachOf(kernel, dilations, i);
    return at(output, i + 2) - (Math.floor(room / at(strides, i)) + 1);
  });
  return w.pad(
    value,
    output.map(() => 0),
    [0, 0, ...excess],
  );
}

/** The windows of a transposed convolution; padding follows from its dims where they are stated instead. */
function transposedWindows(site: Site): Windows {
  const { node } = site;
  const [from, kernel, to] = [site.dims(0).slice(2), site.dims(1).slice(2), site.outDims().slice(2)];
  const windows = windowsOf({ ...node, attributes: { ...node.attributes, auto_pad: notSet } }, kernel, to);
  const auto = stringOf(node, "auto_pad", "NOTSET");
  if (auto === "VALID") return windows;
  if (auto === "NOTSET" && intsOf(node, "output_shape", undefined) === undefined) return windows;
  const extra = intsOf(
    node,
    "output_padding",
    kernel.map(() => 0),
  );
  const totals = to.map((dim, i) => {
    const full = (at(from, i) - 1) * at(windows.strides, i) + reachOf(kernel, windows.dilations, i) + at(extra, i);
    return Math.max(full - dim, 0);
  });
  const small = totals.map((total) => Math.floor(total / 2));
  const large = totals.map((total, i) => total - at(small, i));
  return auto === "SAME_UPPER"
    ? { ...windows, before: small, after: large }
    : { ...windows, before: large, after: small };
}

const notSet: Attribute = { kind: "string", value: "NOTSET" };
