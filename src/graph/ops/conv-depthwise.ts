/**
 * @file Depthwise convolutions over small maps whose weights change. ONNX Runtime computes one tiny product for every
 * channel of every image, so that most of the time goes into starting them. Here each channel is one linear map from
 * positions to positions, a banded matrix made of its taps, and all images are the rows of one product.
 */
import { elementCount } from "../../tensor/shape.ts";
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import type { ConvForm, ConvShapes } from "./conv-shapes.ts";
import type { Writer } from "./writer.ts";

/** The table that makes matrices of taps stays below so many numbers. */
const LARGEST_TABLE = 2 ** 20;

/** Whether every channel has a kernel of its own. */
export function isDepthwise({ weight, input, output, group }: ConvShapes): boolean {
  return weight.length === 4 && group === at(input, 1) && group === at(output, 1);
}

/** One product for each channel, over the rows [N, positions]. */
export const positionMatrices: ConvForm = {
  /**
   * Forward and both gradients, one thread, ns: about `100 + 9 taps` for each position of x as ONNX Runtime does it,
   * `positions of y` times a tenth as products, to which comes what it takes to make the matrices, whatever the batch.
   * Measured at batch 64: 2x2 of 576 channels 25.7 to 1.4 ms, 8x8 of 144: 15.9 to 5.2, 14x14 of 96: as quick; at batch 8:
   * 8x8 2.1 to 1.5, 12x12 of 96: 2.6 to 5.7.
   */
  fits: (shapes) => {
    if (!isDepthwise(shapes)) return false;
    const { n, taps, from, to } = sizesOf(shapes);
    return to * (n + 8 + taps / 2) <= n * (100 + 9 * taps) && taps * from * to <= LARGEST_TABLE;
  },
  forward: (w, { x, weight, bias }, shapes) => {
    const { c, taps, from, to } = sizesOf(shapes);
    const table = w.reshape(tapTable(w, shapes), [taps, from * to]);
    const matrices = w.reshape(w.matmul(w.reshape(weight, [c, taps]), table), [c, from, to]);
    const rows = channelsFirst(w, x, shapes.input);
    const y = fromChannelsFirst(w, w.matmul(rows, matrices), shapes.output);
    const biased = bias === undefined ? y : w.add(y, w.reshape(bias, [c, 1, 1]));
    return { outputs: [biased], saved: [rows, matrices] };
  },
  gradients: (w, dy, { saved, shapes }) => {
    const { c, taps, from, to } = sizesOf(shapes);
    const [rows, matrices] = [at(saved, 0), at(saved, 1)];
    const dRows = channelsFirst(w, dy, shapes.output);
    const dx = fromChannelsFirst(w, w.matmul(dRows, w.transpose(matrices, [0, 2, 1])), shapes.input);
    const dMatrices = w.reshape(w.matmul(w.transpose(rows, [0, 2, 1]), dRows), [c, from * to]);
    const table = w.reshape(tapTable(w, shapes), [taps, from * to]);
    return [dx, w.reshape(w.gemm(dMatrices, table, { transB: true }), shapes.weight)];
  },
};

/** [N, C, H, W] → [C, N, H W] */
function channelsFirst(w: Writer, x: ValueName, [n = 1, c = 1, ...space]: readonly number[]): ValueName {
  return w.transpose(w.reshape(x, [n, c, elementCount(space)]), [1, 0, 2]);
}

/** [C, N, H W] → [N, C, H, W], the dims given. */
function fromChannelsFirst(w: Writer, x: ValueName, dims: readonly number[]): ValueName {
  return w.reshape(w.transpose(x, [1, 0, 2]), dims);
}

/** [taps, positions of x, positions of y]: 1 where a tap of the window at y sees x. */
function tapTable(w: Writer, shapes: ConvShapes): ValueName {
  const { input, output, windows } = shapes;
  const { kernel, strides, dilations, before } = windows;
  const { taps, from, to } = sizesOf(shapes);
  const [kernelW, fromW, toW] = [at(kernel, 1), at(input, 3), at(output, 3)];
  const table = new Float32Array(taps * from * to);
  for (let tap = 0; tap < taps; tap++) {
    for (let y = 0; y < to; y++) {
      const seen = [Math.floor(y / toW), y % toW].map((position, i) => {
        const offset = i === 0 ? Math.floor(tap / kernelW) : tap % kernelW;
        return position * at(strides, i) + offset * at(dilations, i) - at(before, i);
      });
      const [row, column] = [at(seen, 0), at(seen, 1)];
      if (row < 0 || row >= at(input, 2) || column < 0 || column >= fromW) continue;
      table[(tap * from + row * fromW + column) * to + y] = 1;
    }
  }
  return w.tensor([taps, from, to], table);
}

function sizesOf({ input, output, windows }: ConvShapes) {
  const [from, to] = [elementCount(input.slice(2)), elementCount(output.slice(2))];
  return { n: at(input, 0), c: at(input, 1), taps: elementCount(windows.kernel), from, to };
}
