/**
 * @file Taps of a kernel that see nothing but padding, as eight of nine do over a 1x1 map: the convolution without them
 * is the same, and the gradient of their weights is zero.
 */
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import type { ConvShapes } from "./conv-shapes.ts";
import type { Windows } from "./windows.ts";
import type { Writer } from "./writer.ts";

/** A convolution whose taps all see something. */
export interface LiveTaps {
  readonly weight: ValueName;
  readonly shapes: ConvShapes;
  /** The gradient of the whole weight from that of the live taps. */
  widen(dWeight: ValueName): ValueName;
}

/** Leaves out the outer taps that see only padding. */
export function liveTaps(w: Writer, weight: ValueName, shapes: ConvShapes): LiveTaps {
  const ranges = shapes.windows.kernel.map((size, i) => liveRange(shapes, i) ?? { first: 0, last: size - 1 });
  const behind = ranges.map(({ last }, i) => at(shapes.windows.kernel, i) - 1 - last);
  if (ranges.every(({ first }, i) => first === 0 && behind[i] === 0)) return { weight, shapes, widen: (dw) => dw };
  const windows: Windows = {
    ...shapes.windows,
    kernel: ranges.map(({ first, last }) => last - first + 1),
    before: shapes.windows.before.map((pad, i) => pad - at(ranges, i).first * at(shapes.windows.dilations, i)),
    after: shapes.windows.after.map((pad, i) => pad - at(behind, i) * at(shapes.windows.dilations, i)),
  };
  const part = w.slice(
    weight,
    ranges.map((_, i) => i + 2),
    { starts: ranges.map(({ first }) => first), ends: ranges.map(({ last }) => last + 1) },
  );
  return {
    weight: part,
    shapes: { ...shapes, weight: [...shapes.weight.slice(0, 2), ...windows.kernel], windows },
    widen: (dWeight) => w.pad(dWeight, [0, 0, ...ranges.map(({ first }) => first)], [0, 0, ...behind]),
  };
}

/** The first and last tap along an axis that see part of the map; none where the rest could not be written with pads. */
function liveRange(
  { input, output, windows }: ConvShapes,
  axis: number,
): { readonly first: number; readonly last: number } | undefined {
  const { kernel, strides, dilations, before, after } = windows;
  const [length, dilation] = [at(input, axis + 2), at(dilations, axis)];
  const starts = Array.from({ length: at(output, axis + 2) }, (_, o) => o * at(strides, axis) - at(before, axis));
  const sees = (tap: number): boolean =>
    starts.some((start) => start + tap * dilation >= 0 && start + tap * dilation < length);
  const live = [...Array(at(kernel, axis)).keys()].filter(sees);
  const [first, last] = [live[0], live.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const outside = at(kernel, axis) - 1 - last;
  const fits = first * dilation <= at(before, axis) && outside * dilation <= at(after, axis);
  return fits ? { first, last } : undefined;
}
