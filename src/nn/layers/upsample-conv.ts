/**
 * @file Nearest-neighbour doubling and the 3x3 convolution behind it, as one. Each output pixel of the doubled map sees
 * at most 2x2 different input pixels, so the 3x3 kernel collapses into a 2x2 kernel for each of the four positions
 * within a block: 16 multiplications per input pixel and channel pair in place of 36, and the doubled map is never made.
 */
import { int, ints } from "../../graph/builder.ts";
import type { ValueName } from "../../graph/ir.ts";
import type { FeatureMap, Net } from "../net.ts";

/**
 * Doubles the size by nearest neighbours, then convolves with `name.weight` [C, C, 3, 3] and `name.bias`, padding 1.
 * The kernels are computed in the graph from the stored weight, which the runtime does once, at load.
 * @throws FormatError as {@link Weights.take}.
 */
export function upsampleConv({ b, weights }: Net, name: string, x: FeatureMap): FeatureMap {
  const { channels, height, width } = x;
  const stored = b.weight(`${name}.weight`, weights.take(`${name}.weight`, [channels, channels, 3, 3]));
  const taps = b.op("Reshape", [stored, b.ints(channels * channels, 9)]);
  const bias = b.weight(`${name}.bias`, weights.take(`${name}.bias`, [channels]));
  const pixels = (row: 0 | 1, column: 0 | 1): ValueName => {
    const collapse = b.constant({ dtype: "float32", dims: [9, 4], data: collapseMatrix(row, column) });
    const kernel = b.op("Reshape", [b.op("MatMul", [taps, collapse]), b.ints(channels, channels, 2, 2)]);
    const pads = ints(1 - row, 1 - column, row, column);
    const map = b.op("Conv", [x.value, kernel, bias], { kernel_shape: ints(2, 2), pads });
    return b.op("Reshape", [map, b.ints(0, channels, height, width, 1)]);
  };
  const row = (which: 0 | 1): ValueName => {
    const columns = b.op("Concat", [pixels(which, 0), pixels(which, 1)], { axis: int(4) });
    return b.op("Reshape", [columns, b.ints(0, channels, height, 1, 2 * width)]);
  };
  const rows = b.op("Concat", [row(0), row(1)], { axis: int(3) });
  return {
    value: b.op("Reshape", [rows, b.ints(0, channels, 2 * height, 2 * width)]),
    channels,
    height: 2 * height,
    width: 2 * width,
  };
}

/** [9, 4]: which of the 2x2 input pixels each tap of the 3x3 kernel lands on, for one position within the block. */
function collapseMatrix(row: 0 | 1, column: 0 | 1): Float32Array {
  const landing = (position: 0 | 1, tap: number): number => Math.floor((position + tap - 1) / 2) + 1 - position;
  const matrix = new Float32Array(9 * 4);
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) matrix[(3 * i + j) * 4 + 2 * landing(row, i) + landing(column, j)] = 1;
  }
  return matrix;
}
