/**
 * @file Smooth warps: displacements at a few control points, drawn smooth over the image, along which pixels are read.
 * A field is [2, H, W] in pixels, columns before rows; a pixel at p shows what the image has at p plus the field, and
 * beyond the border the edge continues.
 */
import { samplingPlan } from "../tensor/filters/grid-sample.ts";
import { readAlongInto, type SamplingPlan } from "../tensor/filters/kernels.ts";
import { unitOf } from "../tensor/filters/positions.ts";
import { imageDims } from "../tensor/shape.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import { slopesInto, spreadAlongInto } from "./kernels.ts";

/** How control points make a field. */
export interface Controls {
  /** Control points along an axis, k. */
  readonly side: number;
  readonly height: number;
  readonly width: number;
  readonly plan: SamplingPlan;
}

/** k times k control points over an image, the outer ones at its corners, drawn smooth as WaNet does: bicubic. */
export function controlsOver(side: number, [height, width]: readonly [height: number, width: number]): Controls {
  const grid = Float64Array.from({ length: 2 * height * width }, (_, i) => {
    const point = Math.floor(i / 2);
    return i % 2 === 0 ? unitOf(point % width, width, true) : unitOf(Math.floor(point / width), height, true);
  });
  const plan = samplingPlan(grid, [side, side], { method: "bicubic", outside: "border", alignCorners: true });
  return { side, height, width, plan };
}

/** The field of displacements at control points. @param moves [2 * k * k] in pixels. @returns [1, 2, H, W] */
export function fieldOf({ side, height, width, plan }: Controls, moves: Float32Array): Float32Tensor {
  const field = float32([1, 2, height, width]);
  readAlongInto(field.data, moves, plan, { planes: 2, pixels: side * side, from: 0, to: 0 });
  return field;
}

/** The derivative by displacements at control points of what has one by the field. @returns [2 * k * k] */
export function controlGradient({ side, plan }: Controls, gradient: Float32Array): Float32Array {
  const controls = side * side;
  const out = new Float64Array(2 * controls);
  for (const axis of [0, 1]) {
    const own = gradient.subarray(axis * plan.points, (axis + 1) * plan.points);
    spreadAlongInto(out.subarray(axis * controls, (axis + 1) * controls), own, plan);
  }
  return Float32Array.from(out);
}

/** Reads every image along a field. @param field [1, 2, H, W]. @returns new images in the range of the old ones. */
export function warpImages(images: Float32Tensor, field: Float32Tensor): Float32Tensor {
  const { n, c, h, w } = imageDims("warp", images.dims);
  const out = float32(images.dims);
  const grid = Float64Array.from({ length: 2 * h * w }, (_, i) => {
    const point = Math.floor(i / 2);
    const move = field.data[(i % 2) * h * w + point] ?? 0;
    return i % 2 === 0 ? unitOf((point % w) + move, w, true) : unitOf(Math.floor(point / w) + move, h, true);
  });
  const plan = samplingPlan(grid, [h, w], { outside: "border", alignCorners: true });
  readAlongInto(out.data, images.data, plan, { planes: n * c, pixels: h * w, from: 0, to: 0 });
  return out;
}

/**
 * The derivative by the field of what has one by the warped images, summed over the images; zero where a pixel is read
 * beyond the border. @param gradient [N, C, H, W]. @returns [2 * H * W]
 */
export function fieldGradient(images: Float32Tensor, field: Float32Tensor, gradient: Float32Tensor): Float32Array {
  const { h, w } = imageDims("warp", images.dims);
  const out = new Float32Array(2 * h * w);
  slopesInto(out, { images: images.data, field: field.data, gradient: gradient.data }, [h, w]);
  return out;
}
