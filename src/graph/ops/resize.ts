/** @file The gradient of Resize: linear along each axis, so one small matrix per axis is its adjoint. */
import { elementCount, sameDims } from "../../tensor/shape.ts";
import { toNumbers } from "../../tensor/tensor.ts";
import { floatOf, intOf, intsOf, stringOf } from "../attributes.ts";
import { ints } from "../builder.ts";
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import { type AxisMatrix, applyAdjoint } from "./axis-matrix.ts";
import type { Operators, Site } from "./operator.ts";
import { type Resampling, resampleMatrix } from "./resample.ts";

/** Resampling of images. */
export const resizing = {
  Resize: {
    vjp: (site, dy) => {
      const [from, to] = [site.dims(0), site.outDims()];
      const matrices = from.map((length, axis) => {
        const scale = scaleOf(site, axis);
        return scale === 1 && length === at(to, axis) ? undefined : resampleMatrix(resamplingOf(site, axis, scale));
      });
      return [repetition(site, dy, matrices) ?? axisByAxis(site, dy, matrices)];
    },
  },
} satisfies Operators;

/** How much longer an axis becomes, as the coordinates are computed: not always the quotient of the lengths. */
function scaleOf(site: Site, axis: number): number {
  const [from, to] = [site.dims(0), site.outDims()];
  const axes = intsOf(site.node, "axes", [...from.keys()]).map((named) => (named < 0 ? named + from.length : named));
  const i = axes.indexOf(axis);
  if (i < 0) return 1;
  if (site.has(2) && elementCount(site.dims(2)) > 0) {
    const scales = site.constant(2);
    if (scales === undefined) throw site.refuse("scales that are constant, got computed ones");
    return at(toNumbers(scales), i);
  }
  const policy = stringOf(site.node, "keep_aspect_ratio_policy", "stretch");
  if (policy === "stretch") return at(to, axis) / at(from, axis);
  const sizes = site.constantInts(3);
  const ratios = axes.map((named, k) => at(sizes, k) / at(from, named));
  return policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios);
}

function resamplingOf(site: Site, axis: number, scale: number): Resampling {
  const { node } = site;
  const coordinates = stringOf(node, "coordinate_transformation_mode", "half_pixel");
  if (coordinates === "tf_crop_and_resize") throw site.refuse("a resize of the whole image, got tf_crop_and_resize");
  return {
    inputs: at(site.dims(0), axis),
    outputs: at(site.outDims(), axis),
    scale,
    coordinates,
    mode: stringOf(node, "mode", "nearest"),
    rounding: stringOf(node, "nearest_mode", "round_prefer_floor"),
    slope: floatOf(node, "cubic_coeff_a", -0.75),
    excludeOutside: intOf(node, "exclude_outside", 0) === 1,
    antialias: intOf(node, "antialias", 0) === 1,
  };
}

/** Images repeated in whole blocks: the sum over a block is quicker as a pool. */
function repetition(site: Site, dy: ValueName, matrices: readonly (AxisMatrix | undefined)[]): ValueName | undefined {
  const [first, second, ...space] = matrices;
  if (first !== undefined || second !== undefined || space.length !== 2) return undefined;
  const block = space.map((matrix) => (matrix === undefined ? 1 : repeats(matrix)));
  if (block.includes(undefined)) return undefined;
  const { w } = site;
  const kernel = block.map((count) => count ?? 1);
  const attributes = { kernel_shape: ints(...kernel), strides: ints(...kernel) };
  return w.mul(w.op("AveragePool", [dy], attributes), elementCount(kernel));
}

/** How often every input is repeated; `undefined` when the matrix does anything else. */
function repeats({ inputs, outputs, values }: AxisMatrix): number | undefined {
  const count = outputs / inputs;
  if (!Number.isInteger(count)) return undefined;
  const isRepetition = values.every((value, i) => {
    const [row, column] = [Math.floor(i / inputs), i % inputs];
    return value === (Math.floor(row / count) === column ? 1 : 0);
  });
  return isRepetition ? count : undefined;
}

function axisByAxis(site: Site, dy: ValueName, matrices: readonly (AxisMatrix | undefined)[]): ValueName {
  const dims = [...site.outDims()];
  const value = matrices.reduce<ValueName>((current, matrix, axis) => {
    if (matrix === undefined) return current;
    const next = applyAdjoint(site.w, current, { matrix, dims: [...dims], axis });
    dims[axis] = matrix.inputs;
    return next;
  }, dy);
  if (!sameDims(dims, site.dims(0))) throw new Error(`internal: Resize gradient of ${dims} for ${site.dims(0)}`);
  return value;
}
