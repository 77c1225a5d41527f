/**
 * @file Taps of a kernel that see nothing but padding, as eight of nine do over a 1x1 map: the convolution without them
 * is the same, and the gradient of their weights is zero.
 */
import { elementCount } from "../../tensor/shape.ts";
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
  const whole = shapes.windows;
  const ranges = whole.kernel.map((size, i) => liveRange(shapes, i) ?? { first: 0, last: size - 1 });
  const behind = ranges.map(({ last }, i) => at(whole.kernel, i) - 1 - last);
  if (ranges.every(({ first }, i) => first === 0 && behind[i] === 0)) return { weight, shapes, widen: (dw) => dw };
  const windows: Windows = {
    ...whole,
    kernel: ranges.map(({ first, last }) => last - first + 1),
    before: whole.before.map((pad, i) => pad - at(ranges, i).first * at(whole.dilations, i)),
    after: whole.after.map((pad, i) => pad - at(behind, i) * at(whole.dilations, i)),
  };
  const target = [...shapes.weight.slice(0, 2), ...windows.kernel];
  const [all, live] = [elementCount(whole.kernel), elementCount(windows.kernel)];
  const pairs = elementCount(shapes.weight.slice(0, 2));
  // Products with a small matrix of ones: Slice takes twice, Pad four times as long.
  const chosen = tapNumbers(ranges, whole.kernel);
  const ones = (rows: number, columns: number, isOne: (row: number, column: number) => boolean): ValueName =>
    w.tensor(
      [rows, columns],
      Array.from({ length: rows * columns }, (_, i) => (isOne(Math.floor(i / columns), i % columns) ? 1 : 0)),
    );
  const choice = ones(all, live, (tap, i) => chosen[i] === tap);
  const spread = ones(live, all, (i, tap) => chosen[i] === tap);
  return {
    weight: w.reshape(w.matmul(w.reshape(weight, [pairs, all]), choice), target),
    shapes: { ...shapes, weight: target, windows },
    widen: (dWeight) => w.reshape(w.matmul(w.reshape(dWeight, [pairs, live]), spread), shapes.weight),
  };
}

interface TapRange {
  readonly first: number;
  readonly last: number;
}

/** The first and last tap along an axis that see part of the map; none where the rest could not be written with pads. */
function liveRange({ input, output, windows }: ConvShapes, axis: number): TapRange | undefined {
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

/** The numbers, in a kernel, of the taps within ranges along its axes. */
function tapNumbers(ranges: readonly TapRange[], kernel: readonly number[]): number[] {
  return ranges.reduce<number[]>(
    (numbers, { first, last }, axis) =>
      numbers.flatMap((number) =>
        Array.from({ length: last - first + 1 }, (_, i) => number * at(kernel, axis) + first + i),
      ),
    [0],
  );
}
