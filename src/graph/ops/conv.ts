/** @file Gradients of Conv and ConvTranspose: which form of computing one is the quickest where. */
import { intOf, intsOf, stringOf } from "../attributes.ts";
import type { Attribute, ValueName } from "../ir.ts";
import { at } from "./at.ts";
import { blockedConv, isBlockable } from "./blocked-conv.ts";
import { positionMatrices } from "./conv-depthwise.ts";
import { inputGradient } from "./conv-input.ts";
import { type LiveTaps, liveTaps } from "./conv-live-taps.ts";
import { type ConvForm, type ConvShapes, convAttributes } from "./conv-shapes.ts";
import { smallConv } from "./conv-small.ts";
import { weightGradient } from "./conv-weight.ts";
import { fitsWinograd, winogradConv } from "./conv-winograd.ts";
import type { Operators, Site } from "./operator.ts";
import { reachOf, type Windows, windowsOf } from "./windows.ts";
import type { Writer } from "./writer.ts";

/** Convolutions of any number of spatial axes, strides, dilations and groups. */
export const convolutions = {
  Conv: {
    forward: (site) => {
      const { w, x, has, needs, channelBlock } = site;
      const { weight, shapes } = live(site);
      const inputs = { x: at(x, 0), weight, bias: has(2) ? at(x, 2) : undefined };
      const form = formOf(site, shapes);
      if (form !== undefined) return form.forward(w, inputs, shapes);
      if (needs(1) && channelBlock !== undefined && isBlockable(shapes, channelBlock)) {
        return { outputs: [blockedConv(w, inputs, shapes, channelBlock)], saved: [] };
      }
      if (isFrozen(site) && fitsWinograd(shapes)) return { outputs: [winogradConv(w, inputs, shapes)], saved: [] };
      if (weight === at(x, 1)) return undefined;
      const parts = [at(x, 0), weight, ...x.slice(2)];
      return { outputs: [w.op("Conv", parts, convAttributes(shapes.windows, shapes.group))], saved: [] };
    },
    vjp: (site, dy) => {
      const { w, x, needs, saved, outDims } = site;
      const { weight, shapes, widen } = live(site);
      const db = needs(2) ? biasGradient(w, dy, outDims().length) : undefined;
      const form = formOf(site, shapes);
      if (form !== undefined) {
        const [dx, dWeight] = form.gradients(w, dy, { saved, shapes });
        return [dx, widen(dWeight), db];
      }
      // The engine orders constant weights itself.
      const block = needs(1) ? site.channelBlock : undefined;
      return [
        needs(0) ? inputGradient(w, dy, weight, { ...shapes, block, frozen: isFrozen(site) }) : undefined,
        needs(1) ? widen(weightGradient(w, at(x, 0), dy, shapes)) : undefined,
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

const forms: readonly ConvForm[] = [positionMatrices, smallConv];

/** A form for weights that change; constant ones are the engine's to arrange. */
function formOf({ needs }: Site, shapes: ConvShapes): ConvForm | undefined {
  return needs(1) ? forms.find(({ fits }) => fits(shapes)) : undefined;
}

/** Whether the weight is stored in the model and stays as it is. */
function isFrozen({ w, constant }: Site): boolean {
  return w.dtype === "float32" && constant(1) !== undefined;
}

/** The convolution of a site, without taps that see only padding. */
function live({ w, x, node, dims, outDims }: Site): LiveTaps {
  const windows = windowsOf(node, dims(1).slice(2), dims(0).slice(2));
  const group = intOf(node, "group", 1);
  return liveTaps(w, at(x, 1), { input: dims(0), weight: dims(1), output: outDims(), group, windows });
}

function biasGradient(w: Writer, dy: ValueName, rank: number): ValueName {
  return w.sum(dy, [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2)]);
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
