/** @file The gradient of a convolution with respect to the map that it slides over. */
import { elementCount } from "../../tensor/shape.ts";
import { int, ints } from "../builder.ts";
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import { blockedConv, isBlockable } from "./blocked-conv.ts";
import { fitsPhases, phasesGradient } from "./conv-phases.ts";
import { type ConvShapes, convAttributes } from "./conv-shapes.ts";
import { fitsWinograd, winogradConv } from "./conv-winograd.ts";
import { interleaveZeros } from "./tap-views.ts";
import { isDense, reachOf } from "./windows.ts";
import type { Writer } from "./writer.ts";

/**
 * Below so many channels of x, such as those of an image, ONNX Runtime's own layout is mostly padding, and the products of a
 * ConvTranspose are few: to one channel from 32 of 28x28 it takes .3 ms where the convolution takes 2.1 (32 images).
 */
const FEW_CHANNELS = 8;

/** What decides in which form a gradient is written, beside the shapes. */
export interface InputGradientSetting {
  /** Channels of a block, where the convolution may be written in those. */
  readonly block: number | undefined;
  /** Whether the weight is a constant: the engine then rearranges it when it loads the model. */
  readonly frozen: boolean;
}

/** @param dy [N, O, …] @param weight [O, C / group, …kernel] @returns [N, C, …] */
export function inputGradient(
  w: Writer,
  dy: ValueName,
  weight: ValueName,
  { block, frozen, ...shapes }: ConvShapes & InputGradientSetting,
): ValueName {
  const { windows, group, input, output } = shapes;
  const { kernel, strides, dilations, before, after } = windows;
  const few = frozen && group === 1 && at(input, 1) < FEW_CHANNELS;
  if (isDense(windows) && !few) return denseInputGradient(w, dy, weight, { ...shapes, block, frozen });
  if (frozen && !few && fitsPhases(shapes)) return phasesGradient(w, dy, flipped(w, weight, shapes), shapes);
  if (elementCount(kernel) === 1 && [...before, ...after].every((pad) => pad === 0)) {
    const dims = [...input.slice(0, 2), ...output.slice(2)];
    const spread = interleaveZeros(w, pointwise(w, dy, weight, shapes), { dims, first: 2, strides });
    const excess = strides.map((stride, i) => at(input, i + 2) - at(output, i + 2) * stride);
    return w.pad(
      spread,
      dims.map(() => 0),
      [0, 0, ...excess],
    );
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
  { block, frozen, ...shapes }: ConvShapes & InputGradientSetting,
): ValueName {
  const { windows, group } = shapes;
  const { kernel, dilations } = windows;
  const [o, c] = [at(shapes.weight, 0), at(shapes.weight, 1)];
  const reach = kernel.map((_, i) => reachOf(kernel, dilations, i) - 1);
  const before = reach.map((length, i) => length - at(windows.before, i));
  const after = reach.map((length, i) => length - at(windows.after, i));
  const cropOf = (pads: readonly number[]): number[] => [0, 0, ...pads.map((pad) => Math.min(pad, 0))];
  const rest = (pads: readonly number[]): number[] => pads.map((pad) => Math.max(pad, 0));
  const image = w.pad(dy, cropOf(before), cropOf(after));
  const around = { ...windows, before: rest(before), after: rest(after) };
  const cut = shapes.output.map((dim, i) => dim + at(cropOf(before), i) + at(cropOf(after), i));
  const back = { input: cut, weight: [c * group, o / group, ...kernel], output: shapes.input, group, windows: around };
  const flippedWeight = flipped(w, weight, shapes);
  if (frozen && fitsWinograd(back)) return winogradConv(w, { x: image, weight: flippedWeight }, back);
  return block !== undefined && isBlockable(back, block)
    ? blockedConv(w, { x: image, weight: flippedWeight }, back, block)
    : w.op("Conv", [image, flippedWeight], convAttributes(around, group));
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
