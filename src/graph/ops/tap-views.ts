/** @file What every tap of a window over two axes sees, and its adjoint: the pieces of im2col and col2im. */
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import type { ConvShapes } from "./conv-shapes.ts";
import type { Writer } from "./writer.ts";

/** How maps lie in a value of four axes. */
export interface MapLayout {
  readonly shapes: Pick<ConvShapes, "input" | "output" | "windows">;
  /** The axis of the rows, before that of the columns: 2 in [N, C, H, W], 1 in [N, H, W, C]. @default 2 */
  readonly rows?: 1 | 2;
}

/** Maps seen through every tap: one strided slice of the padded x each, of the output's size. */
export function tapViews(w: Writer, x: ValueName, { shapes, rows = 2 }: MapLayout): ValueName[] {
  const { input, windows } = shapes;
  const { kernel, strides, dilations, before } = windows;
  const spans = spansOf(shapes);
  const needed = kernel.map((size, i) => (size - 1) * at(dilations, i) + at(spans, i));
  const after = needed.map((length, i) => length - at(input, i + 2) - at(before, i));
  const padded = w.pad(x, around(rows, before), around(rows, after));
  if ([...kernel, ...strides].every((count) => count === 1)) return [padded];
  return offsets(shapes).map((starts) => {
    const ends = starts.map((start, i) => start + at(spans, i));
    return w.slice(padded, [rows, rows + 1], { starts, ends, steps: strides });
  });
}

/**
 * The adjoint: every part is put where its tap has looked, and what meets is summed.
 * @param parts one for each tap, with the dims of a view, `dims`.
 */
export function sumOfTaps(
  w: Writer,
  parts: readonly ValueName[],
  { shapes, rows = 2, dims }: MapLayout & { readonly dims: readonly number[] },
): ValueName {
  const { input, windows } = shapes;
  const { strides, before } = windows;
  const spans = spansOf(shapes);
  const placed = offsets(shapes).map((starts, tap) => {
    const spread = interleaveZeros(w, at(parts, tap), { dims, first: rows, strides });
    const front = starts.map((start, i) => start - at(before, i));
    const behind = front.map((skipped, i) => at(input, i + 2) - skipped - at(spans, i));
    // Interleaving leaves zeros behind the last value too.
    const excess = strides.map((stride) => 1 - stride);
    return w.pad(
      spread,
      around(rows, front),
      around(
        rows,
        behind.map((length, i) => length + at(excess, i)),
      ),
    );
  });
  return placed.reduce((sum, part) => w.add(sum, part));
}

/** Puts values `strides` apart along neighbouring axes, zeros between and behind: reshape, pad, reshape. */
export function interleaveZeros(
  w: Writer,
  value: ValueName,
  { dims, first, strides }: { dims: readonly number[]; first: number; strides: readonly number[] },
): ValueName {
  if (strides.every((stride) => stride === 1)) return value;
  const strideOf = (axis: number): number => strides[axis - first] ?? 1;
  const isSpread = (axis: number): boolean => axis >= first && axis < first + strides.length;
  const split = dims.flatMap((dim, axis) => (isSpread(axis) ? [dim, 1] : [dim]));
  const gaps = dims.flatMap((_, axis) => (isSpread(axis) ? [0, strideOf(axis) - 1] : [0]));
  const spread = w.pad(
    w.reshape(value, split),
    split.map(() => 0),
    gaps,
  );
  return w.reshape(
    spread,
    dims.map((dim, axis) => (isSpread(axis) ? dim * strideOf(axis) : dim)),
  );
}

/** From the first to the last position that one tap sees. */
function spansOf({ output, windows }: MapLayout["shapes"]): number[] {
  return windows.strides.map((stride, i) => (at(output, i + 2) - 1) * stride + 1);
}

/** Where each tap begins in the padded map, row by row. */
function offsets({ windows: { kernel, dilations } }: MapLayout["shapes"]): number[][] {
  const [kernelH, kernelW] = [at(kernel, 0), at(kernel, 1)];
  return Array.from({ length: kernelH * kernelW }, (_, tap) => [
    Math.floor(tap / kernelW) * at(dilations, 0),
    (tap % kernelW) * at(dilations, 1),
  ]);
}

/** Two numbers for rows and columns as four, zero for the other axes. */
function around(rows: 1 | 2, pads: readonly number[]): number[] {
  return [...Array<number>(rows).fill(0), ...pads, ...Array<number>(2 - rows).fill(0)];
}
