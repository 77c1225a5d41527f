/** @file Turning, moving, scaling as a grid of positions. */
import { ShapeError } from "../../core/errors.ts";
import { formatDims } from "../shape.ts";
import type { Float32Tensor, RealTensor } from "../tensor.ts";
import { unitOf } from "./positions.ts";

/**
 * The grid that affine maps make of the pixels' own positions.
 * @param maps [N, 2, 3]: from positions of the result (column, row, 1) to positions of the image, all from -1 to 1.
 * @returns [N, height, width, 2]. @throws ShapeError when they are no such maps.
 * @source Jaderberg et al. 2015, "Spatial Transformer Networks", eq. 1.
 */
export function affineGrid(
  maps: RealTensor,
  [height, width]: readonly [height: number, width: number],
  { alignCorners = false }: { readonly alignCorners?: boolean } = {},
): Float32Tensor {
  const [n = 0, rows, columns] = maps.dims;
  if (maps.dims.length !== 3 || rows !== 2 || columns !== 3) {
    throw new ShapeError(`affine grid: expected maps [N, 2, 3], got ${formatDims(maps.dims)}.`);
  }
  const data = Float32Array.from({ length: n * height * width * 2 }, (_, i) => {
    const point = Math.floor(i / 2);
    const x = unitOf(point % width, width, alignCorners);
    const y = unitOf(Math.floor(point / width) % height, height, alignCorners);
    const at = (Math.floor(point / (height * width)) * 2 + (i % 2)) * 3;
    const [a = 0, b = 0, shift = 0] = maps.data.subarray(at, at + 3);
    return a * x + b * y + shift;
  });
  return { dtype: "float32", dims: [n, height, width, 2], data };
}
