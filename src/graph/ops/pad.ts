/** @file The gradient of Pad: constant borders are cut off, mirrored ones are added to what they mirror. */
import { stringOf } from "../attributes.ts";
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import { applyAdjoint, choiceMatrix } from "./axis-matrix.ts";
import type { Operators, Site } from "./operator.ts";

/** Borders of all kinds. */
export const padding = {
  Pad: {
    vjp: (site, dy) => {
      const mode = stringOf(site.node, "mode", "constant");
      const { before, after } = padsOf(site);
      if (mode !== "constant") return [mirrored(site, dy, { mode, before, after })];
      const { w, needs } = site;
      const inside = w.pad(dy, before.map(opposite), after.map(opposite));
      if (!needs(2)) return [inside];
      const total = (value: ValueName, dims: readonly number[]): ValueName => w.sum(value, [...dims.keys()]);
      const border = w.sub(total(dy, site.outDims()), total(inside, site.dims(0)));
      return [inside, undefined, w.reshape(border, site.dims(2))];
    },
  },
} satisfies Operators;

interface Pads {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** Pads of every axis. */
function padsOf(site: Site): Pads {
  const rank = site.dims(0).length;
  const pads = site.constantInts(1);
  const named = site.has(3) ? site.constantInts(3) : [...Array(rank).keys()];
  const axes = named.map((axis) => (axis < 0 ? axis + rank : axis));
  const of = (offset: number): number[] =>
    Array.from({ length: rank }, (_, axis) => {
      const i = axes.indexOf(axis);
      return i < 0 ? 0 : at(pads, offset + i);
    });
  return { before: of(0), after: of(axes.length) };
}

/** Negation without the negative zero. */
function opposite(pad: number): number {
  return pad === 0 ? 0 : -pad;
}

function mirrored(site: Site, dy: ValueName, { mode, before, after }: Pads & { mode: string }): ValueName {
  const dims = site.dims(0);
  const current = [...site.outDims()];
  return dims.reduce((value, length, axis) => {
    if (at(before, axis) === 0 && at(after, axis) === 0) return value;
    const sources = Array.from({ length: at(current, axis) }, (_, i) => sourceOf(i - at(before, axis), length, mode));
    const placed = applyAdjoint(site.w, value, { matrix: choiceMatrix(sources, length), dims: [...current], axis });
    current[axis] = length;
    return placed;
  }, dy);
}

/** The position that a border position repeats. */
function sourceOf(position: number, length: number, mode: string): number {
  if (mode === "edge") return Math.min(Math.max(position, 0), length - 1);
  if (mode === "wrap") return ((position % length) + length) % length;
  const period = Math.max(2 * (length - 1), 1);
  const within = ((position % period) + period) % period;
  return Math.min(within, period - within);
}
