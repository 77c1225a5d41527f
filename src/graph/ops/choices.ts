/** @file Gradients of operators that choose values by position: slices, gathers, scatters, the largest k. */
import { elementCount } from "../../tensor/shape.ts";
import { int64, toNumbers } from "../../tensor/tensor.ts";
import { intOf, stringOf } from "../attributes.ts";
import { int, string } from "../builder.ts";
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import type { Operators, Site } from "./operator.ts";
import { placeAt, scatterRows } from "./scatter-rows.ts";

/** Choice and placement by position. */
export const choices = {
  Slice: { vjp: (site, dy) => [sliceGradient(site, dy)] },
  Gather: { vjp: (site, dy) => [gatherGradient(site, dy)] },
  GatherElements: {
    vjp: ({ w, x, node, dims }, dy) => [
      w.op("ScatterElements", [w.filled(dims(0)), at(x, 1), dy], {
        axis: int(intOf(node, "axis", 0)),
        reduction: string("add"),
      }),
    ],
  },
  GatherND: {
    vjp: (site, dy) => [
      site.w.op("ScatterND", [site.w.filled(site.dims(0)), fullIndices(site), dy], { reduction: string("add") }),
    ],
  },
  ScatterElements: {
    vjp: (site, dy) => {
      const { w, x, node, dims } = site;
      const axis = { axis: int(intOf(node, "axis", 0)) };
      const updates = w.op("GatherElements", [dy, at(x, 1)], axis);
      if (reductionOf(site) === "add") return [dy, undefined, updates];
      return [w.op("ScatterElements", [dy, at(x, 1), w.filled(dims(2))], axis), undefined, updates];
    },
  },
  ScatterND: {
    vjp: (site, dy) => {
      const { w, x, dims } = site;
      const updates = w.op("GatherND", [dy, at(x, 1)]);
      if (reductionOf(site) === "add") return [dy, undefined, updates];
      return [w.op("ScatterND", [dy, at(x, 1), w.filled(dims(2))]), undefined, updates];
    },
  },
  /** The values; their positions have no gradient. */
  TopK: {
    vjp: ({ w, y, node, dims }, dy) => [
      w.op("ScatterElements", [w.filled(dims(0)), at(y, 1), dy], { axis: int(intOf(node, "axis", -1)) }),
    ],
  },
  ReverseSequence: {
    vjp: ({ w, x, node }, dy) => [w.op("ReverseSequence", [dy, at(x, 1)], node.attributes)],
  },
} satisfies Operators;

function sliceGradient(site: Site, dy: ValueName): ValueName {
  const { w } = site;
  const dims = site.dims(0);
  const starts = site.constantInts(1);
  const axes = site.has(3) ? site.constantInts(3) : [...starts.keys()];
  const steps = site.has(4) ? site.constantInts(4) : starts.map(() => 1);
  const before = dims.map(() => 0);
  const after = dims.map(() => 0);
  let value = dy;
  const current = [...site.outDims()];
  axes.forEach((named, i) => {
    const axis = named < 0 ? named + dims.length : named;
    const [length, count, step] = [at(dims, axis), at(site.outDims(), axis), at(steps, i)];
    const raw = at(starts, i) < 0 ? at(starts, i) + length : at(starts, i);
    const start = Math.min(Math.max(raw, 0), step < 0 ? length - 1 : length);
    if (step === 1) {
      before[axis] = start;
      after[axis] = length - start - count;
      return;
    }
    const indices = Array.from({ length: count }, (_, k) => start + k * step);
    value = placeAt(w, value, indices, { dims: current, axis, length });
    current[axis] = length;
  });
  return w.pad(value, before, after);
}

function gatherGradient(site: Site, dy: ValueName): ValueName {
  const { w, x, node } = site;
  const dims = site.dims(0);
  const named = intOf(node, "axis", 0);
  const axis = named < 0 ? named + dims.length : named;
  const length = at(dims, axis);
  // The indices' own axes are one axis here.
  const count = elementCount(site.dims(1));
  const chosen = [...dims.slice(0, axis), count, ...dims.slice(axis + 1)];
  const value = w.reshape(dy, chosen, site.outDims());
  const placement = { dims: chosen, axis, length };
  const constant = site.constant(1);
  if (constant !== undefined) {
    const indices = toNumbers(constant).map((index) => (index < 0 ? index + length : index));
    return placeAt(w, value, indices, placement);
  }
  const indices = site.dtype(1) === "int64" ? at(x, 1) : w.cast(at(x, 1), "int64");
  return scatterRows(w, value, indices, placement);
}

/** Indices of GatherND with the positions of its batch axes in front, as ScatterND wants them. */
function fullIndices(site: Site): ValueName {
  const { w, x, node } = site;
  const batchAxes = intOf(node, "batch_dims", 0);
  const indices = at(x, 1);
  if (batchAxes === 0) return indices;
  const lead = site.dims(1).slice(0, -1);
  const positions = Array.from({ length: elementCount(lead) }, (_, i) => coordinates(i, lead).slice(0, batchAxes));
  const batch = w.builder.constant(int64([...lead, batchAxes], positions.flat()));
  return w.concat([batch, indices], lead.length);
}

function coordinates(index: number, dims: readonly number[]): number[] {
  return dims.map((dim, axis) => Math.floor(index / elementCount(dims.slice(axis + 1))) % dim);
}

function reductionOf(site: Site): "none" | "add" {
  const reduction = stringOf(site.node, "reduction", "none");
  if (reduction !== "none" && reduction !== "add") throw site.refuse(`the reduction none or add, got ${reduction}`);
  return reduction;
}
