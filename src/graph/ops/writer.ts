/**
 * @file Arithmetic on values of a graph, as gradient rules write it. A thin face of {@link GraphBuilder}: numbers become
 * constants of one float type, and what would do nothing (a sum over no axis, a pad of nothing) is not written.
 */
import { float16FromFloats } from "../../tensor/half.ts";
import { elementCount, sameDims } from "../../tensor/shape.ts";
import { type DType, int64, type Tensor } from "../../tensor/tensor.ts";
import { float, type GraphBuilder, int, ints } from "../builder.ts";
import { onnxTypeOf } from "../dtypes.ts";
import type { Attribute, ValueName } from "../ir.ts";

/** Types that gradients have. */
export type FloatType = "float32" | "float64" | "float16";

/** A value, or a number that is the same everywhere. */
export type Operand = ValueName | number;

/** Writes arithmetic of one float type. */
export class Writer {
  readonly builder: GraphBuilder;
  readonly dtype: FloatType;

  constructor(builder: GraphBuilder, dtype: FloatType) {
    this.builder = builder;
    this.dtype = dtype;
  }

  /** Applies any operator with one output. */
  op(op: string, inputs: readonly Operand[], attributes: Readonly<Record<string, Attribute>> = {}): ValueName {
    return this.builder.op(
      op,
      inputs.map((input) => this.value(input)),
      attributes,
    );
  }

  /** A value as it is, a number as scalar constant. */
  value(operand: Operand): ValueName {
    return typeof operand === "number" ? this.tensor([], [operand]) : operand;
  }

  /** A constant of the float type. */
  tensor(dims: readonly number[], values: ArrayLike<number>): ValueName {
    return this.builder.constant(floatTensor(this.dtype, dims, values));
  }

  add(a: Operand, b: Operand): ValueName {
    return this.op("Add", [a, b]);
  }

  sub(a: Operand, b: Operand): ValueName {
    return this.op("Sub", [a, b]);
  }

  mul(a: Operand, b: Operand): ValueName {
    return this.op("Mul", [a, b]);
  }

  div(a: Operand, b: Operand): ValueName {
    return this.op("Div", [a, b]);
  }

  neg(a: Operand): ValueName {
    return this.op("Neg", [a]);
  }

  square(a: ValueName): ValueName {
    return this.mul(a, a);
  }

  /** 1 where a condition holds, else 0. */
  mask(condition: ValueName): ValueName {
    return this.cast(condition, this.dtype);
  }

  /** 1 where a == b, else 0. */
  equal(a: Operand, b: Operand): ValueName {
    return this.mask(this.op("Equal", [a, b]));
  }

  where(condition: ValueName, a: Operand, b: Operand): ValueName {
    return this.op("Where", [condition, a, b]);
  }

  cast(a: ValueName, dtype: DType): ValueName {
    return this.op("Cast", [a], { to: int(onnxTypeOf[dtype]) });
  }

  /** Sum over axes, which are not negative. Runs of neighbouring axes are summed one after the other: that is quicker. */
  sum(a: ValueName, axes: readonly number[], keep = false): ValueName {
    return runsOf(axes).reduceRight(
      (value, run) => this.op("ReduceSum", [value, this.builder.ints(...run)], { keepdims: int(keep ? 1 : 0) }),
      a,
    );
  }

  /** Mean over axes, kept as axes of length 1. */
  mean(a: ValueName, axes: readonly number[]): ValueName {
    return this.op("ReduceMean", [a, this.builder.ints(...axes)], { keepdims: int(1) });
  }

  /** @param from the dims that `a` has, where known: equal ones need no node. */
  reshape(a: ValueName, dims: readonly number[], from?: readonly number[]): ValueName {
    if (from !== undefined && sameDims(from, dims)) return a;
    return this.op("Reshape", [a, this.builder.ints(...dims)], dims.includes(0) ? { allowzero: int(1) } : {});
  }

  expand(a: ValueName, dims: readonly number[], from?: readonly number[]): ValueName {
    if (from !== undefined && sameDims(from, dims)) return a;
    return this.op("Expand", [a, this.builder.ints(...dims)]);
  }

  transpose(a: ValueName, perm: readonly number[]): ValueName {
    return perm.every((axis, i) => axis === i) ? a : this.op("Transpose", [a], { perm: ints(...perm) });
  }

  matmul(a: ValueName, b: ValueName): ValueName {
    return this.op("MatMul", [a, b]);
  }

  /** `alpha op(a) op(b)` for matrices. */
  gemm(
    a: ValueName,
    b: ValueName,
    { transA = false, transB = false, alpha = 1 }: { transA?: boolean; transB?: boolean; alpha?: number } = {},
  ): ValueName {
    return this.op("Gemm", [a, b], { transA: int(transA ? 1 : 0), transB: int(transB ? 1 : 0), alpha: float(alpha) });
  }

  /** `a scale + shift` with one number per channel, [N, C, …] and [C]: one pass, where Mul and Add are two. */
  affine(a: ValueName, scale: ValueName, shift: ValueName, [, channels = 1]: readonly number[]): ValueName {
    const [zeros, ones] = [0, 1].map((value) => this.tensor([channels], Array<number>(channels).fill(value)));
    return this.op("BatchNormalization", [a, scale, shift, zeros ?? 0, ones ?? 1], { epsilon: float(0) });
  }

  concat(parts: readonly ValueName[], axis: number): ValueName {
    const [only, ...others] = parts;
    return only !== undefined && others.length === 0 ? only : this.op("Concat", parts, { axis: int(axis) });
  }

  /** Part of a value: from `starts` to before `ends` along `axes`, by `steps`. */
  slice(
    a: ValueName,
    axes: readonly number[],
    { starts, ends, steps }: { starts: readonly number[]; ends: readonly number[]; steps?: readonly number[] },
  ): ValueName {
    const { builder } = this;
    const range = [builder.ints(...starts), builder.ints(...ends), builder.ints(...axes)];
    return this.op("Slice", [a, ...range, ...(steps === undefined ? [] : [builder.ints(...steps)])]);
  }

  /** Adds zeros around; negative numbers take away. */
  pad(a: ValueName, before: readonly number[], after: readonly number[]): ValueName {
    if ([...before, ...after].every((count) => count === 0)) return a;
    return this.op("Pad", [a, this.builder.ints(...before, ...after)]);
  }

  /** The same number everywhere. */
  filled(dims: readonly number[], value = 0): ValueName {
    return this.op("ConstantOfShape", [this.builder.constant(int64([dims.length], dims))], {
      value: { kind: "tensor", value: floatTensor(this.dtype, [1], [value]) },
    });
  }

  /** The gradient of an operand, from one that has the dims of the broadcast result: the one inverse of broadcasting. */
  unbroadcast(gradient: ValueName, from: readonly number[], to: readonly number[]): ValueName {
    const lead = from.length - to.length;
    const axes = from.flatMap((dim, axis) => (dim !== 1 && (axis < lead || to[axis - lead] === 1) ? [axis] : []));
    const kept = from.filter((_, axis) => !axes.includes(axis));
    return this.reshape(this.sum(gradient, axes), to, kept);
  }
}

/** A tensor of a float type. */
export function floatTensor(dtype: FloatType, dims: readonly number[], values: ArrayLike<number>): Tensor {
  if (elementCount(dims) !== values.length) throw new Error(`internal: ${values.length} values for [${dims}]`);
  switch (dtype) {
    case "float32":
      return { dtype, dims, data: Float32Array.from(values) };
    case "float64":
      return { dtype, dims, data: Float64Array.from(values) };
    case "float16":
      return { dtype, dims, data: float16FromFloats(Float32Array.from(values)) };
  }
}

/** Runs of neighbouring axes, ascending. */
function runsOf(axes: readonly number[]): number[][] {
  const runs: number[][] = [];
  for (const axis of [...axes].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last?.at(-1) === axis - 1) last.push(axis);
    else runs.push([axis]);
  }
  return runs;
}
