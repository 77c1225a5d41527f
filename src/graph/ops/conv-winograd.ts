/**
 * @file Convolutions of 3x3 taps with constant weights over many channels: by Winograd's F(4x4, 3x3), 36 products for a tile
 * of 16 outputs instead of 144. The transforms run along one axis at a time, as products with small constant matrices that
 * also cut the map into tiles and pad it. The engine transforms the weights when it loads the model.
 */
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import type { ConvInputs, ConvShapes } from "./conv-shapes.ts";
import { isDense } from "./windows.ts";
import { outputMatrix, TILE, tapMatrix, tileMatrix } from "./winograd.ts";
import type { Writer } from "./writer.ts";

/**
 * Where it is quicker than the engine's own (32 images, one thread, ms: 512 channels of 4x4 22.6 to 9.1, 256 of 8x8 20.8 to
 * 10.3, 128 of 16x16 22.0 to 14.7, 64 of 32x32 as quick). Images are the columns of the products: few of them are slow.
 */
const LEAST = { channels: 128, images: 16 } as const;
const MOST_SIDE = 16;

/** Whether {@link winogradConv} can write a convolution, and is the quickest. */
export function fitsWinograd({ input, weight, output, group, windows }: ConvShapes): boolean {
  const { kernel, dilations } = windows;
  return (
    group === 1 &&
    kernel.length === 2 &&
    kernel.every((size) => size === TILE.taps) &&
    isDense(windows) &&
    dilations.every((dilation) => dilation === 1) &&
    at(input, 0) >= LEAST.images &&
    Math.min(at(weight, 0), at(weight, 1)) >= LEAST.channels &&
    // Smaller maps are mostly padding, also of the tiles.
    output.slice(2).every((side) => side >= TILE.outputs && side <= MOST_SIDE)
  );
}

/** @param inputs.weight [O, C, 3, 3] @returns [N, O, Ho, Wo] */
export function winogradConv(w: Writer, { x, weight, bias }: ConvInputs, shapes: ConvShapes): ValueName {
  const { input, output, windows } = shapes;
  const [n, c, h, wide] = [at(input, 0), at(input, 1), at(input, 2), at(input, 3)];
  const [o, ho, wo] = [at(output, 1), at(output, 2), at(output, 3)];
  const [tilesH, tilesW] = [tilesOf(ho), tilesOf(wo)];
  const { products: p, outputs: q } = TILE;

  // [C N H, W] → [j, tile, C N, H] → [j, tile, i, tile, C N] → [j, i, tile, tile, C, N]
  const rows = w.reshape(w.transpose(x, [1, 0, 2, 3]), [c * n * h, wide]);
  const across = w.gemm(cut(w, wide, tilesW, at(windows.before, 1)), rows, { transB: true });
  const upright = w.transpose(w.reshape(across, [p * tilesW, c * n, h]), [0, 2, 1]);
  const both = w.matmul(cut(w, h, tilesH, at(windows.before, 0)), upright);
  const tiles = w.transpose(w.reshape(both, [p, tilesW, p, tilesH, c * n]), [0, 2, 1, 3, 4]);

  const taps = w.reshape(transformedWeights(w, weight, o * c), [p * p, 1, o, c]);
  const made = w.matmul(taps, w.reshape(tiles, [p * p, tilesW * tilesH, c, n]));

  // [j, i, tile, tile, O N] → [j, a, tile, tile, O N] → [tile a, tile j, O N] → [H, O N, W] → [N, O, H, W]
  const joined = w.matmul(w.tensor([q, p], transposed(outputMatrix)), w.reshape(made, [p, p, tilesW * tilesH * o * n]));
  const sorted = w.transpose(w.reshape(joined, [p, q, tilesW, tilesH, o * n]), [3, 1, 2, 0, 4]);
  const lines = w.reshape(sorted, [q * tilesH, p * tilesW, o * n]);
  const kept = q * tilesH === ho ? lines : w.slice(lines, [0], { starts: [0], ends: [ho], steps: [1] });
  const whole = w.matmul(w.transpose(kept, [0, 2, 1]), paste(w, wo, tilesW));
  const y = w.transpose(w.reshape(whole, [ho, o, n, wo]), [2, 1, 0, 3]);
  return bias === undefined ? y : w.add(y, w.reshape(bias, [o, 1, 1]));
}

function tilesOf(side: number): number {
  return Math.ceil(side / TILE.outputs);
}

/** [6 tiles, side]: the tiles of an axis, transformed; what lies outside is zero. */
function cut(w: Writer, side: number, tiles: number, before: number): ValueName {
  const { products, outputs } = TILE;
  const matrix = new Float32Array(products * tiles * side);
  for (const [i, row] of tileMatrix.entries()) {
    for (let tile = 0; tile < tiles; tile++) {
      for (const [k, value] of row.entries()) {
        const seen = tile * outputs + k - before;
        if (seen >= 0 && seen < side) matrix[(i * tiles + tile) * side + seen] = value;
      }
    }
  }
  return w.tensor([products * tiles, side], matrix);
}

/** [tiles 6, side]: the outputs of an axis, side by side. */
function paste(w: Writer, side: number, tiles: number): ValueName {
  const { products, outputs } = TILE;
  const matrix = new Float32Array(tiles * products * side);
  for (let position = 0; position < side; position++) {
    const tile = Math.floor(position / outputs);
    for (const [j, row] of outputMatrix.entries()) {
      matrix[(tile * products + j) * side + position] = at(row, position % outputs);
    }
  }
  return w.tensor([tiles * products, side], matrix);
}

/** [36, O C]: the taps of every pair of channels, transformed along both axes. */
function transformedWeights(w: Writer, weight: ValueName, pairs: number): ValueName {
  const { products, taps } = TILE;
  const both = tapMatrix.flatMap((columns) =>
    tapMatrix.flatMap((rows) => rows.flatMap((row) => columns.map((column) => row * column))),
  );
  const matrix = w.tensor([products ** 2, taps ** 2], both);
  return w.gemm(matrix, w.reshape(weight, [pairs, taps ** 2]), { transB: true });
}

function transposed(matrix: readonly (readonly number[])[]): number[] {
  return at(matrix, 0).flatMap((_, column) => matrix.map((row) => at(row, column)));
}
