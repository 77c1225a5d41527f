/** @file Sliding windows: the attributes that convolutions and pools share. */
import { intsOf, stringOf } from "../attributes.ts";
import type { GraphNode } from "../ir.ts";
import { at } from "./at.ts";

/** Windows over the spatial axes; one number per axis. */
export interface Windows {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Zeros in front of and behind each axis. */
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/**
 * The windows of a node, automatic padding worked out.
 * @param space dims of the spatial axes that the windows slide over.
 */
export function windowsOf(node: GraphNode, kernel: readonly number[], space: readonly number[]): Windows {
  const ones = kernel.map(() => 1);
  const strides = intsOf(node, "strides", ones);
  const dilations = intsOf(node, "dilations", ones);
  const auto = stringOf(node, "auto_pad", "NOTSET");
  const rank = kernel.length;
  const pads = intsOf(node, "pads", Array<number>(2 * rank).fill(0));
  if (auto === "NOTSET") return { kernel, strides, dilations, before: pads.slice(0, rank), after: pads.slice(rank) };
  const totals = space.map((dim, i) => {
    if (auto === "VALID") return 0;
    const stride = at(strides, i);
    const reach = (Math.ceil(dim / stride) - 1) * stride + reachOf(kernel, dilations, i);
    return Math.max(reach - dim, 0);
  });
  const small = totals.map((total) => Math.floor(total / 2));
  const large = totals.map((total, i) => total - at(small, i));
  return auto === "SAME_LOWER"
    ? { kernel, strides, dilations, before: large, after: small }
    : { kernel, strides, dilations, before: small, after: large };
}

/** How many values one window spans along an axis. */
export function reachOf(kernel: readonly number[], dilations: readonly number[], axis: number): number {
  return at(dilations, axis) * (at(kernel, axis) - 1) + 1;
}

/** Whether windows move one by one. */
export function isDense({ strides }: Windows): boolean {
  return strides.every((stride) => stride === 1);
}

/** Whether windows lie side by side: no padding, no holes, no overlap, no remainder of the space. */
export function tilesExactly(
  { kernel, strides, dilations, before, after }: Windows,
  space: readonly number[],
): boolean {
  return kernel.every(
    (size, i) =>
      at(strides, i) === size &&
      (size === 1 || at(dilations, i) === 1) &&
      at(before, i) === 0 &&
      at(after, i) === 0 &&
      at(space, i) % size === 0,
  );
}
