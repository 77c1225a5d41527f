/**
 * @file Convolutions in the layout that ONNX Runtime's own fastest kernel works in: channels in blocks of as many as a
 * vector register holds. The engine writes that layout itself where weights are constants, but not where they change;
 * there we write it: reorder the image, reorder the weights, convolve, reorder back. The operators are an internal of
 * the engine and depend on its processor: whoever asks for them has to try first (`channelBlock`).
 */
import { elementCount } from "../../tensor/shape.ts";
import { int } from "../builder.ts";
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import { type ConvInputs, type ConvShapes, convAttributes } from "./conv-shapes.ts";
import type { Writer } from "./writer.ts";

/** The domain of the internal operators, of which there is only one version. */
export const BLOCKED_DOMAIN = "com.microsoft.nchwc";

/**
 * Whether a convolution can be written in blocks and gains from it: a 1x1 kernel is one matrix product already, and
 * channels that do not fill the blocks are work for nothing (24 channels in blocks of 16: a fifth slower).
 */
export function isBlockable({ weight, group, windows }: Omit<ConvShapes, "input" | "output">, block: number): boolean {
  const [o, c] = [at(weight, 0), at(weight, 1)];
  const fills = group === 1 ? c % block === 0 : c === 1 && o === group;
  return weight.length === 4 && elementCount(windows.kernel) > 1 && o % block === 0 && fills;
}

/** A convolution of x [N, C, H, W] with weights [O, C / group, kh, kw], and a bias [O] where there is one. */
export function blockedConv(
  w: Writer,
  inputs: ConvInputs,
  { weight: dims, group, windows }: Omit<ConvShapes, "input" | "output">,
  block: number,
): ValueName {
  const { builder } = w;
  builder.useDomain(BLOCKED_DOMAIN, 1);
  const own = (op: string, values: readonly ValueName[], attributes: Parameters<typeof builder.ops>[2]): ValueName =>
    at(builder.ops(op, values, attributes, { domain: BLOCKED_DOMAIN }), 0);
  const image = own("ReorderInput", [inputs.x], { channels_last: int(0) });
  const parts = [image, blockedWeight(w, inputs.weight, dims, block)];
  if (inputs.bias !== undefined) parts.push(inputs.bias);
  const y = own("Conv", parts, convAttributes(windows, group));
  return own("ReorderOutput", [y], { channels: int(at(dims, 0)), channels_last: int(0) });
}

/**
 * [O, C, kh, kw] → [O/b, C/b, kh, kw, b of C, b of O], and [O, 1, kh, kw] → [O/b, kh, kw, b of O], under the old dims. One
 * axis moves at a time: that is quicker.
 */
function blockedWeight(w: Writer, weight: ValueName, dims: readonly number[], block: number): ValueName {
  const [o, c, taps] = [at(dims, 0), at(dims, 1), elementCount(dims.slice(2))];
  const lanes = w.transpose(w.reshape(weight, [o / block, block, c * taps]), [0, 2, 1]);
  if (c === 1) return w.reshape(lanes, dims);
  const blocks = w.transpose(w.reshape(lanes, [(o * c) / block ** 2, block, taps, block]), [0, 2, 1, 3]);
  return w.reshape(blocks, dims);
}
