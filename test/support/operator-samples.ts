/**
 * @file Small graphs of every operator through which gradients pass. The type asks for at least an empty list for each:
 * a new rule that is not sampled does not compile.
 */
import { float, type GraphBuilder, int, ints, string } from "../../src/graph/builder.ts";
import type { Attribute, ValueName } from "../../src/graph/ir.ts";
import type { SmoothName } from "../../src/graph/ops/registry.ts";
import { float32, int64 } from "../../src/tensor/tensor.ts";

/** A graph with float32 inputs that are differentiated by. */
export interface Sample {
  /** Dims of each input. */
  readonly inputs: readonly (readonly number[])[];
  /** Writes the graph; the result is what is differentiated. */
  readonly write: (b: GraphBuilder, x: readonly ValueName[]) => ValueName;
  /** Range of the inputs; -1.6 to 1.6 when left out. */
  readonly range?: readonly [number, number];
  /** Whether the result is linear in all inputs together: then differences are exact. */
  readonly linear?: boolean;
  /** Version of the standard operators; 18 when left out. */
  readonly opset?: number;
  /** Error in units of the gradient's length; 1e-3 when left out, 1e-5 for what is linear. */
  readonly tolerance?: number;
}

type Attributes = Readonly<Record<string, Attribute>>;

const image = [2, 3, 6, 7];

/** One operator on its inputs. */
function plain(
  op: string,
  inputs: Sample["inputs"],
  attributes: Attributes = {},
  rest: Omit<Sample, "inputs" | "write"> = {},
): Sample {
  return { inputs, write: (b, x) => b.op(op, x, attributes), ...rest };
}

/** One operator with constants behind its inputs. */
function withConstants(
  op: string,
  inputs: Sample["inputs"],
  constants: (b: GraphBuilder) => readonly ValueName[],
  { attributes = {}, ...rest }: { attributes?: Attributes } & Omit<Sample, "inputs" | "write"> = {},
): Sample {
  return { inputs, write: (b, x) => b.op(op, [...x, ...constants(b)], attributes), ...rest };
}

/** The n-th output of an operator with several. */
function outputOf(
  op: string,
  inputs: Sample["inputs"],
  { index, count }: { index: number; count: number },
  attributes: Attributes = {},
): Sample {
  return { inputs, write: (b, x) => b.ops(op, x, attributes, { outputs: count })[index]! };
}

const unary = (op: string, range?: readonly [number, number], attributes: Attributes = {}): Sample[] => [
  plain(op, [[3, 8]], attributes, range === undefined ? {} : { range }),
];
const binary = (op: string, rest: Omit<Sample, "inputs" | "write"> = {}): Sample[] =>
  [
    [
      [2, 3, 4],
      [2, 3, 4],
    ],
    [
      [2, 3, 4],
      [3, 1],
    ],
    [[4], [2, 3, 4]],
    [
      [2, 1, 4],
      [1, 3, 1],
    ],
    [[], [2, 3]],
  ].map((inputs) => plain(op, inputs, {}, rest));
const reduced = (op: string, rest: Omit<Sample, "inputs" | "write"> = {}): Sample[] => [
  withConstants(op, [[2, 3, 4]], (b) => [b.ints(1)], rest),
  withConstants(op, [[2, 3, 4]], (b) => [b.ints(-1, 0)], { attributes: { keepdims: int(0) }, ...rest }),
  plain(op, [[2, 3, 2]], { keepdims: int(0) }, rest),
  plain(op, [[2, 3]], { noop_with_empty_axes: int(1) }, rest),
];

interface ConvSample {
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly attributes?: Attributes;
}

const conv = ({ x, w, attributes = {} }: ConvSample): Sample[] => [
  { inputs: [x], write: (b, [image = ""]) => b.op("Conv", [image, b.weight("w", waves(w))], attributes), linear: true },
  { inputs: [x, w], write: (b, names) => b.op("Conv", names, attributes) },
  {
    inputs: [w, [w[0]!]],
    write: (b, names) => b.op("Conv", [b.weight("x", waves(x)), ...names], attributes),
    linear: true,
  },
];

const transposed = ({ x, w, attributes = {} }: ConvSample): Sample[] => {
  const outputs = w[1]! * (attributes["group"]?.kind === "int" ? attributes["group"].value : 1);
  return [
    {
      inputs: [x],
      write: (b, [image = ""]) => b.op("ConvTranspose", [image, b.weight("w", waves(w))], attributes),
      linear: true,
    },
    { inputs: [x, w, [outputs]], write: (b, names) => b.op("ConvTranspose", names, attributes) },
  ];
};

/** Values without pattern, for constant weights. */
function waves(dims: readonly number[]) {
  const count = dims.reduce((product, dim) => product * dim, 1);
  return float32(
    dims,
    Array.from({ length: count }, (_, i) => Math.sin(1.7 * i + 0.3)),
  );
}

const resize = (attributes: Attributes, { scales, sizes }: { scales?: number[]; sizes?: number[] }): Sample => ({
  inputs: [[1, 2, 4, 6]],
  write: (b, [x = ""]) =>
    b.op("Resize", scales === undefined ? [x, "", "", b.ints(...sizes!)] : [x, "", b.float(...scales)], attributes),
  linear: true,
});

const positive = [0.3, 2] as const;
const linear = { linear: true } as const;

/** Samples of every operator. */
export const operatorSamples: Readonly<Record<SmoothName, readonly Sample[]>> = {
  Add: binary("Add", linear),
  Sub: binary("Sub", linear),
  Mul: [
    ...binary("Mul"),
    { inputs: [[3, 8]], write: (b, [x = ""]) => b.op("Mul", [x, b.op("Sigmoid", [x])]) },
    { inputs: [[3, 8]], write: (b, [x = ""]) => b.op("Mul", [b.op("Sigmoid", [x]), x]) },
    { inputs: [[3, 8]], write: (b, [x = ""]) => b.op("Mul", [x, x]) },
  ],
  Div: binary("Div", { range: positive }),
  Pow: [
    ...binary("Pow", { range: positive }),
    withConstants("Pow", [[3, 8]], (b) => [b.float(2)]),
    withConstants("Pow", [[3, 8]], (b) => [b.float(3)]),
    withConstants("Pow", [[3, 8]], (b) => [b.float(-1.5)], { range: positive }),
    withConstants("Pow", [[3, 4]], (b) => [b.float(1, 2, 3, 4)]),
    withConstants("Pow", [[3, 8]], (b) => [b.constant(int64([], [3]))]),
  ],
  Neg: unary("Neg"),
  Abs: unary("Abs"),
  Sum: [plain("Sum", [[2, 3], [3], [2, 1]], {}, linear), plain("Sum", [[2, 3]], {}, linear)],
  Mean: [plain("Mean", [[2, 3], [3], [2, 1]], {}, linear)],
  Max: [plain("Max", [[2, 3], [3], [2, 1]]), plain("Max", [[2, 3]])],
  Min: [plain("Min", [[2, 3], [3], [2, 1]])],
  Mod: [withConstants("Mod", [[3, 8]], (b) => [b.float(0.71)], { attributes: { fmod: int(1) } })],
  Where: [
    {
      inputs: [[2, 3], [3]],
      write: (b, x) => {
        const data = Uint8Array.from([1, 0]);
        return b.op("Where", [b.constant({ dtype: "bool", dims: [2, 1], data }), ...x]);
      },
      linear: true,
    },
  ],
  Exp: unary("Exp"),
  Log: unary("Log", positive),
  Sqrt: unary("Sqrt", positive),
  Reciprocal: unary("Reciprocal", positive),
  Sin: unary("Sin"),
  Cos: unary("Cos"),
  Tan: unary("Tan", [-1, 1]),
  Asin: unary("Asin", [-0.8, 0.8]),
  Acos: unary("Acos", [-0.8, 0.8]),
  Atan: unary("Atan"),
  Sinh: unary("Sinh"),
  Cosh: unary("Cosh"),
  Asinh: unary("Asinh"),
  Acosh: unary("Acosh", [1.3, 3]),
  Atanh: unary("Atanh", [-0.8, 0.8]),
  Tanh: unary("Tanh"),
  Sigmoid: unary("Sigmoid"),
  Erf: unary("Erf"),
  Softplus: unary("Softplus"),
  Softsign: unary("Softsign"),
  Gelu: [
    plain("Gelu", [[3, 8]], {}, { opset: 20 }),
    plain("Gelu", [[3, 8]], { approximate: string("tanh") }, { opset: 20 }),
  ],
  Mish: [plain("Mish", [[3, 8]])],
  Swish: [plain("Swish", [[3, 8]], { alpha: float(0.7) }, { opset: 24 })],
  Relu: unary("Relu"),
  LeakyRelu: unary("LeakyRelu", undefined, { alpha: float(0.2) }),
  PRelu: [
    plain("PRelu", [
      [2, 3, 4],
      [3, 1],
    ]),
    plain("PRelu", [[2, 3], [1]]),
  ],
  Elu: unary("Elu", undefined, { alpha: float(1.3) }),
  Selu: unary("Selu"),
  Celu: unary("Celu", undefined, { alpha: float(1.3) }),
  ThresholdedRelu: unary("ThresholdedRelu", undefined, { alpha: float(0.5) }),
  HardSigmoid: [
    ...unary("HardSigmoid", [-4.1, 4]),
    ...unary("HardSigmoid", [-4, 4], { alpha: float(0.4), beta: float(0.3) }),
  ],
  HardSwish: unary("HardSwish", [-4, 4]),
  Shrink: [...unary("Shrink"), ...unary("Shrink", undefined, { lambd: float(0.8), bias: float(0.3) })],
  Clip: [
    withConstants("Clip", [[3, 8]], (b) => [b.float(-0.52), b.float(0.77)]),
    { inputs: [[3, 8]], write: (b, [x = ""]) => b.op("Clip", [x, "", b.float(0.77)]) },
    {
      inputs: [[3, 8], [], []],
      write: (b, [x = "", low = "", high = ""]) =>
        b.op("Clip", [x, b.op("Sub", [low, b.float(0.57)]), b.op("Add", [high, b.float(0.5)])]),
    },
  ],
  ReduceSum: reduced("ReduceSum", linear),
  ReduceMean: reduced("ReduceMean", linear),
  ReduceL1: reduced("ReduceL1"),
  ReduceL2: reduced("ReduceL2"),
  ReduceSumSquare: reduced("ReduceSumSquare"),
  ReduceLogSum: reduced("ReduceLogSum", { range: positive }),
  ReduceLogSumExp: reduced("ReduceLogSumExp"),
  ReduceMax: reduced("ReduceMax"),
  ReduceMin: reduced("ReduceMin"),
  ReduceProd: [
    ...reduced("ReduceProd", { range: positive }),
    {
      inputs: [[3, 4]],
      write: (b, [x = ""]) => b.op("ReduceProd", [b.op("Mul", [x, b.constant(float32([3, 1], [1, 0, 2]))]), b.ints(0)]),
    },
  ],
  Softmax: [plain("Softmax", [[2, 3, 4]]), plain("Softmax", [[2, 3, 4]], { axis: int(1) })],
  LogSoftmax: [plain("LogSoftmax", [[2, 3, 4]]), plain("LogSoftmax", [[2, 3, 4]], { axis: int(-2) })],
  Reshape: [withConstants("Reshape", [[2, 3, 4]], (b) => [b.ints(6, -1)], linear)],
  Flatten: [plain("Flatten", [[2, 3, 4]], { axis: int(2) }, linear)],
  Squeeze: [
    withConstants("Squeeze", [[2, 1, 3, 1]], (b) => [b.ints(1)], linear),
    plain("Squeeze", [[1, 3, 1]], {}, linear),
  ],
  Unsqueeze: [withConstants("Unsqueeze", [[2, 3]], (b) => [b.ints(0, -1)], linear)],
  Identity: [plain("Identity", [[2, 3]], {}, linear)],
  Transpose: [
    plain("Transpose", [[2, 3, 4]], {}, linear),
    plain("Transpose", [[2, 3, 4]], { perm: ints(1, 2, 0) }, linear),
  ],
  Expand: [withConstants("Expand", [[3, 1]], (b) => [b.ints(2, 1, 4)], linear)],
  Tile: [
    withConstants("Tile", [[2, 3]], (b) => [b.ints(3, 2)], linear),
    withConstants("Tile", [[2, 3]], (b) => [b.ints(1, 2)], linear),
  ],
  Cast: [
    {
      inputs: [[2, 3]],
      write: (b, [x = ""]) => b.op("Cast", [b.op("Exp", [b.op("Cast", [x], { to: int(11) })])], { to: int(1) }),
    },
  ],
  CastLike: [{ inputs: [[2, 3], [1]], write: (b, x) => b.op("CastLike", x), linear: true }],
  Concat: [
    plain(
      "Concat",
      [
        [2, 1, 3],
        [2, 4, 3],
        [2, 2, 3],
      ],
      { axis: int(-2) },
      linear,
    ),
    plain("Concat", [[2]], { axis: int(0) }, linear),
  ],
  Split: [
    {
      inputs: [[2, 6]],
      write: (b, [x = ""]) => b.ops("Split", [x, b.ints(1, 3, 2)], { axis: int(1) }, { outputs: 3 })[1]!,
      linear: true,
    },
    {
      inputs: [[2, 6]],
      write: (b, [x = ""]) => {
        const [first = "", , last = ""] = b.ops("Split", [x], { axis: int(-1), num_outputs: int(3) }, { outputs: 3 });
        return b.op("Mul", [first, last]);
      },
    },
  ],
  DepthToSpace: [
    plain("DepthToSpace", [[2, 8, 2, 3]], { blocksize: int(2) }, linear),
    plain("DepthToSpace", [[2, 8, 2, 3]], { blocksize: int(2), mode: string("CRD") }, linear),
  ],
  SpaceToDepth: [plain("SpaceToDepth", [[2, 2, 4, 6]], { blocksize: int(2) }, linear)],
  CumSum: [
    withConstants("CumSum", [[2, 4]], (b) => [b.constant(int64([], [1]))], linear),
    withConstants("CumSum", [[3, 4]], (b) => [b.constant(int64([], [0]))], {
      attributes: { exclusive: int(1), reverse: int(1) },
      ...linear,
    }),
  ],
  Trilu: [
    plain("Trilu", [[3, 4]], {}, linear),
    withConstants("Trilu", [[2, 3, 4]], (b) => [b.constant(int64([], [1]))], {
      attributes: { upper: int(0) },
      ...linear,
    }),
  ],
  Dropout: [outputOf("Dropout", [[3, 4]], { index: 0, count: 2 })],
  Slice: [
    withConstants("Slice", [[4, 6]], (b) => [b.ints(1), b.ints(9_007_199_254_740_991), b.ints(1)], linear),
    withConstants("Slice", [[4, 6]], (b) => [b.ints(-3, 0), b.ints(-1, 6), b.ints(0, 1), b.ints(1, 2)], linear),
    withConstants("Slice", [[4, 6, 2]], (b) => [b.ints(3, 5), b.ints(-9, -9), b.ints(0, 1), b.ints(-1, -2)], linear),
    withConstants("Slice", [[4, 6]], (b) => [b.ints(1, 2), b.ints(3, 5)], linear),
  ],
  Gather: [
    withConstants("Gather", [[5, 3]], (b) => [b.constant(int64([2, 2], [0, 3, -1, 3]))], linear),
    withConstants("Gather", [[2, 5, 3]], (b) => [b.constant(int64([], [-2]))], {
      attributes: { axis: int(1) },
      ...linear,
    }),
    withConstants("Gather", [[2, 5, 3]], (b) => [b.constant(int64([3], [1, 2, 3]))], {
      attributes: { axis: int(-2) },
      ...linear,
    }),
    {
      inputs: [[2, 5, 3]],
      write: (b, [x = ""]) =>
        b.op("Gather", [x, b.op("ArgMax", [x], { axis: int(1), keepdims: int(0) })], { axis: int(1) }),
    },
    withConstants(
      "Gather",
      [[2000, 2]],
      (b) => [
        b.constant(
          int64(
            [600],
            Array.from({ length: 600 }, (_, i) => (7 * i) % 2000),
          ),
        ),
      ],
      linear,
    ),
  ],
  GatherElements: [
    withConstants("GatherElements", [[3, 4]], (b) => [b.constant(int64([2, 4], [0, 1, 2, 0, 0, 1, -1, 2]))], linear),
    withConstants("GatherElements", [[3, 4]], (b) => [b.constant(int64([3, 2], [0, 1, 3, 0, 2, 2]))], {
      attributes: { axis: int(1) },
      ...linear,
    }),
  ],
  GatherND: [
    withConstants("GatherND", [[3, 4, 2]], (b) => [b.constant(int64([3, 2], [0, 1, 2, 3, 0, 1]))], linear),
    withConstants("GatherND", [[2, 3, 4]], (b) => [b.constant(int64([2, 2, 1], [0, 2, 1, 1]))], {
      attributes: { batch_dims: int(1) },
      ...linear,
    }),
  ],
  ScatterElements: [
    {
      inputs: [
        [3, 3],
        [2, 3],
      ],
      write: (b, [x = "", u = ""]) => b.op("ScatterElements", [x, b.constant(int64([2, 3], [1, 0, 2, 0, 2, 1])), u]),
      linear: true,
    },
    {
      inputs: [
        [3, 3],
        [2, 3],
      ],
      write: (b, [x = "", u = ""]) =>
        b.op("ScatterElements", [x, b.constant(int64([2, 3], [1, 0, 2, 1, 0, 1])), u], { reduction: string("add") }),
      linear: true,
    },
  ],
  ScatterND: [
    {
      inputs: [
        [4, 3],
        [2, 3],
      ],
      write: (b, [x = "", u = ""]) => b.op("ScatterND", [x, b.constant(int64([2, 1], [3, 1])), u]),
      linear: true,
    },
    {
      inputs: [
        [4, 3],
        [2, 3],
      ],
      write: (b, [x = "", u = ""]) =>
        b.op("ScatterND", [x, b.constant(int64([2, 1], [3, 3])), u], { reduction: string("add") }),
      linear: true,
    },
  ],
  TopK: [
    { inputs: [[3, 6]], write: (b, [x = ""]) => b.ops("TopK", [x, b.ints(2)], {}, { outputs: 2 })[0]! },
    {
      inputs: [[3, 6]],
      write: (b, [x = ""]) => b.ops("TopK", [x, b.ints(2)], { axis: int(0), largest: int(0) }, { outputs: 2 })[0]!,
    },
  ],
  ReverseSequence: [
    withConstants("ReverseSequence", [[4, 3]], (b) => [b.constant(int64([3], [2, 4, 1]))], {
      attributes: { batch_axis: int(1), time_axis: int(0) },
      ...linear,
    }),
  ],
  Pad: [
    withConstants("Pad", [[2, 4, 5]], (b) => [b.ints(0, 1, -1, 0, 2, 0)], linear),
    {
      inputs: [[3, 4], []],
      write: (b, [x = "", value = ""]) => b.op("Pad", [x, b.ints(1, 2), value, b.ints(-1)]),
      linear: true,
    },
    ...["reflect", "edge", "wrap"].map((mode) =>
      withConstants("Pad", [[2, 4, 5]], (b) => [b.ints(0, 1, 2, 0, 2, 1)], {
        attributes: { mode: string(mode) },
        opset: 19,
        ...linear,
      }),
    ),
  ],
  MatMul: [
    ...[
      [
        [3, 4],
        [4, 2],
      ],
      [
        [2, 3, 4],
        [4, 5],
      ],
      [
        [2, 3, 3, 4],
        [3, 4, 5],
      ],
      [
        [3, 4],
        [2, 4, 5],
      ],
      [
        [2, 1, 3, 4],
        [3, 4, 2],
      ],
      [[2, 3, 4], [4]],
      [[4], [2, 4, 3]],
      [[4], [4]],
      [[4], [4, 3]],
    ].map((inputs) => plain("MatMul", inputs)),
  ],
  Gemm: [
    plain("Gemm", [[3, 4], [4, 2], [2]], { alpha: float(0.5), beta: float(2) }),
    plain(
      "Gemm",
      [
        [4, 3],
        [4, 2],
        [3, 1],
      ],
      { transA: int(1) },
    ),
    plain(
      "Gemm",
      [
        [3, 4],
        [2, 4],
      ],
      { transB: int(1), alpha: float(1.5) },
    ),
    plain("Gemm", [[4, 3], [2, 4], []], { transA: int(1), transB: int(1) }),
  ],
  Einsum: [
    plain(
      "Einsum",
      [
        [2, 3],
        [3, 4],
      ],
      { equation: string("ij,jk->ik") },
    ),
    plain(
      "Einsum",
      [
        [2, 3, 4, 5],
        [2, 3, 6, 5],
      ],
      { equation: string("bhid,bhjd->bhij") },
    ),
    plain(
      "Einsum",
      [
        [2, 3],
        [3, 4],
      ],
      { equation: string("ij,jk") },
    ),
    plain("Einsum", [[2, 3], [4]], { equation: string("ij,k->ik") }),
    plain(
      "Einsum",
      [
        [2, 3, 4],
        [2, 4, 5],
      ],
      { equation: string("...ij,...jk->...ik") },
    ),
    plain("Einsum", [[2, 3]], { equation: string("ij->ji") }, linear),
    plain("Einsum", [[2, 3], [3, 2], [2]], { equation: string("ij,jk,k->i") }),
  ],
  Conv: [
    { x: [2, 3, 5, 6], w: [4, 3, 3, 3], attributes: { pads: ints(1, 1, 1, 1) } },
    { x: [2, 8, 5, 6], w: [5, 8, 3, 3], attributes: { pads: ints(1, 0, 2, 1) } },
    { x: [2, 8, 18, 17], w: [4, 8, 3, 3], attributes: { pads: ints(1, 1, 1, 1) } },
    { x: [2, 8, 9, 8], w: [4, 8, 3, 2], attributes: { dilations: ints(2, 1), pads: ints(3, 2, 3, 2) } },
    { x: [1, 8, 4, 3], w: [20, 8, 3, 3], attributes: { pads: ints(1, 1, 1, 1) } },
    { x: [2, 3, 7, 8], w: [4, 3, 3, 3], attributes: { strides: ints(2, 2), pads: ints(1, 1, 1, 1) } },
    { x: [2, 3, 8, 7], w: [4, 3, 2, 3], attributes: { strides: ints(3, 1), dilations: ints(1, 2) } },
    { x: [2, 3, 6, 7], w: [4, 3, 1, 1] },
    { x: [2, 3, 6, 7], w: [4, 3, 1, 1], attributes: { strides: ints(2, 2) } },
    { x: [2, 4, 6, 7], w: [4, 1, 3, 3], attributes: { group: int(4), pads: ints(1, 1, 1, 1) } },
    { x: [2, 4, 6, 7], w: [4, 1, 3, 3], attributes: { group: int(4), strides: ints(2, 2), pads: ints(1, 1, 1, 1) } },
    { x: [2, 4, 6, 7], w: [8, 1, 3, 3], attributes: { group: int(4), pads: ints(1, 1, 1, 1) } },
    { x: [2, 4, 6, 7], w: [6, 2, 3, 3], attributes: { group: int(2), strides: ints(2, 1) } },
    { x: [2, 3, 7, 8], w: [4, 3, 3, 3], attributes: { auto_pad: string("SAME_UPPER"), strides: ints(2, 2) } },
    { x: [2, 3, 7, 8], w: [4, 3, 2, 2], attributes: { auto_pad: string("SAME_LOWER") } },
    { x: [2, 3, 7, 8], w: [4, 3, 3, 3], attributes: { auto_pad: string("VALID") } },
    { x: [2, 32, 2, 3], w: [60, 32, 3, 3], attributes: { pads: ints(1, 1, 1, 1) } },
    { x: [2, 32, 4, 3], w: [60, 32, 3, 3], attributes: { strides: ints(2, 2), pads: ints(1, 1, 1, 0) } },
    { x: [3, 4, 11], w: [6, 4, 3], attributes: { strides: ints(2), pads: ints(1, 1) } },
    { x: [3, 4, 9], w: [6, 2, 3], attributes: { group: int(2) } },
    { x: [2, 2, 4, 5, 3], w: [3, 2, 3, 3, 2], attributes: { pads: ints(1, 1, 1, 1, 1, 1) } },
    { x: [2, 2, 5, 5, 4], w: [3, 2, 3, 3, 2], attributes: { strides: ints(2, 2, 1) } },
  ].flatMap(conv),
  ConvTranspose: [
    { x: [2, 3, 4, 5], w: [3, 4, 3, 3] },
    { x: [2, 4, 4, 5], w: [4, 3, 4, 4], attributes: { strides: ints(2, 2), pads: ints(1, 1, 1, 1) } },
    {
      x: [2, 4, 4, 5],
      w: [4, 3, 3, 3],
      attributes: { strides: ints(2, 2), output_padding: ints(1, 1), pads: ints(1, 1, 1, 1) },
    },
    { x: [2, 4, 4, 5], w: [4, 2, 3, 3], attributes: { strides: ints(2, 2), group: int(2), dilations: ints(2, 1) } },
    { x: [2, 4, 4, 5], w: [4, 3, 3, 3], attributes: { strides: ints(2, 2), auto_pad: string("SAME_UPPER") } },
    { x: [2, 4, 4, 5], w: [4, 3, 3, 3], attributes: { strides: ints(2, 2), auto_pad: string("SAME_LOWER") } },
    { x: [2, 4, 4, 5], w: [4, 3, 3, 3], attributes: { strides: ints(2, 2), output_shape: ints(8, 10) } },
    { x: [2, 3, 5], w: [3, 2, 3], attributes: { strides: ints(2) } },
  ].flatMap(transposed),
  Col2Im: [
    withConstants("Col2Im", [[2, 12, 6]], (b) => [b.ints(3, 4), b.ints(2, 2)], linear),
    withConstants("Col2Im", [[2, 18, 4]], (b) => [b.ints(4, 4), b.ints(3, 3)], {
      attributes: { strides: ints(2, 2), pads: ints(1, 1, 1, 1) },
      ...linear,
    }),
  ],
  MaxPool: [
    plain("MaxPool", [image], { kernel_shape: ints(2, 2), strides: ints(2, 2) }),
    plain("MaxPool", [image], { kernel_shape: ints(3, 3), strides: ints(2, 1), pads: ints(1, 1, 1, 1) }),
    plain("MaxPool", [image], { kernel_shape: ints(2, 2), strides: ints(3, 3), ceil_mode: int(1) }),
    plain("MaxPool", [image], { kernel_shape: ints(2, 3), dilations: ints(2, 1) }),
    plain("MaxPool", [[2, 3, 9]], { kernel_shape: ints(3), strides: ints(2) }),
    plain("MaxPool", [[1, 2, 4, 4, 4]], { kernel_shape: ints(2, 2, 2), strides: ints(2, 2, 2) }),
    {
      inputs: [[2, 3, 6, 6]],
      write: (b, [x = ""]) => b.op("MaxPool", [b.op("Relu", [x])], { kernel_shape: ints(2, 3), strides: ints(2, 3) }),
    },
    outputOf("MaxPool", [image], { index: 0, count: 2 }, { kernel_shape: ints(2, 2), strides: ints(2, 2) }),
  ],
  AveragePool: [
    plain("AveragePool", [[2, 3, 6, 8]], { kernel_shape: ints(2, 4), strides: ints(2, 4) }, linear),
    plain("AveragePool", [image], { kernel_shape: ints(3, 3), strides: ints(2, 2), pads: ints(1, 1, 1, 1) }, linear),
    plain(
      "AveragePool",
      [image],
      { kernel_shape: ints(3, 3), pads: ints(1, 1, 1, 1), count_include_pad: int(1) },
      linear,
    ),
    plain(
      "AveragePool",
      [image],
      { kernel_shape: ints(3, 2), strides: ints(2, 2), ceil_mode: int(1) },
      { ...linear, opset: 19 },
    ),
    plain("AveragePool", [image], { kernel_shape: ints(2, 2), strides: ints(3, 2) }, linear),
    plain(
      "AveragePool",
      [image],
      { kernel_shape: ints(3, 3), strides: ints(2, 2), auto_pad: string("SAME_UPPER") },
      linear,
    ),
    plain("AveragePool", [image], { kernel_shape: ints(2, 3), dilations: ints(2, 1) }, { ...linear, opset: 19 }),
    plain("AveragePool", [[2, 3, 9]], { kernel_shape: ints(3), strides: ints(2) }, linear),
  ],
  GlobalAveragePool: [plain("GlobalAveragePool", [image], {}, linear)],
  GlobalMaxPool: [plain("GlobalMaxPool", [image])],
  GlobalLpPool: [plain("GlobalLpPool", [[2, 3, 3, 3]]), plain("GlobalLpPool", [[2, 3, 3, 3]], { p: int(3) })],
  LayerNormalization: [
    plain("LayerNormalization", [[2, 3, 8], [8], [8]]),
    plain(
      "LayerNormalization",
      [
        [2, 3, 4],
        [3, 4],
      ],
      { axis: int(1), epsilon: float(1e-3) },
    ),
    outputOf("LayerNormalization", [[2, 3, 8], [8], [8]], { index: 1, count: 3 }),
    outputOf("LayerNormalization", [[2, 3, 8], [8], [8]], { index: 2, count: 3 }),
  ],
  InstanceNormalization: [
    plain("InstanceNormalization", [[2, 3, 3, 4], [3], [3]], { epsilon: float(1e-3) }),
    plain("InstanceNormalization", [[2, 3, 8], [3], [3]]),
  ],
  BatchNormalization: [
    plain("BatchNormalization", [[2, 3, 3, 4], [3], [3], [3], [3]], {}, { range: positive }),
    {
      inputs: [[2, 3, 3, 4], [3], [3]],
      write: (b, x) => {
        const stored = [b.float(0.1, 0.2, 0.3), b.float(1, 2, 3)];
        return b.ops(
          "BatchNormalization",
          [...x, ...stored],
          { training_mode: int(1), epsilon: float(1e-3) },
          { outputs: 3 },
        )[0]!;
      },
    },
    plain("BatchNormalization", [[4, 3], [3], [3], [3], [3]], {}, { range: positive }),
  ],
  GroupNormalization: [
    plain("GroupNormalization", [[2, 6, 3, 4], [6], [6]], { num_groups: int(2), epsilon: float(1e-3) }, { opset: 21 }),
    plain("GroupNormalization", [[2, 6, 3, 4], [2], [2]], { num_groups: int(2), epsilon: float(1e-3) }),
  ],
  Resize: [
    resize(
      { mode: string("nearest"), coordinate_transformation_mode: string("asymmetric"), nearest_mode: string("floor") },
      { scales: [1, 1, 2, 2] },
    ),
    resize({ mode: string("nearest") }, { scales: [1, 1, 2, 3] }),
    resize(
      { mode: string("nearest"), coordinate_transformation_mode: string("asymmetric"), nearest_mode: string("floor") },
      { sizes: [1, 2, 7, 4] },
    ),
    resize({ mode: string("nearest"), nearest_mode: string("ceil") }, { sizes: [1, 2, 7, 4] }),
    resize({ mode: string("nearest"), nearest_mode: string("round_prefer_ceil") }, { sizes: [1, 2, 7, 4] }),
    ...["half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners", "half_pixel_symmetric"].flatMap((mode) =>
      ["linear", "cubic"].map((kind) =>
        resize({ mode: string(kind), coordinate_transformation_mode: string(mode) }, { sizes: [1, 2, 7, 4] }),
      ),
    ),
    resize(
      { mode: string("cubic"), cubic_coeff_a: float(-0.5), exclude_outside: int(1) },
      { scales: [1, 1, 1.6, 0.7] },
    ),
    resize({ mode: string("linear"), antialias: int(1) }, { sizes: [1, 2, 2, 4] }),
    resize({ mode: string("cubic"), antialias: int(1) }, { sizes: [1, 2, 2, 9] }),
    {
      inputs: [[1, 2, 4, 6]],
      write: (b, [x = ""]) =>
        b.op("Resize", [x, "", "", b.ints(6, 12)], {
          mode: string("linear"),
          axes: ints(2, 3),
          keep_aspect_ratio_policy: string("not_larger"),
        }),
      linear: true,
    },
  ],
  RMSNormalization: [
    plain("RMSNormalization", [[2, 3, 8], [8]], {}, { opset: 23 }),
    plain(
      "RMSNormalization",
      [
        [2, 3, 4],
        [3, 4],
      ],
      { axis: int(1) },
      { opset: 23 },
    ),
  ],
  LpNormalization: [
    plain("LpNormalization", [[2, 3, 4]]),
    plain("LpNormalization", [[2, 3, 4]], { axis: int(1), p: int(1) }),
  ],
  LRN: [
    plain("LRN", [[2, 7, 2, 3]], { size: int(3), alpha: float(0.5), beta: float(0.6), bias: float(1.2) }),
    plain("LRN", [[2, 7, 2, 3]], { size: int(5), alpha: float(0.8) }),
  ],
  MeanVarianceNormalization: [plain("MeanVarianceNormalization", [[2, 3, 4, 5]])],
  Attention: [
    plain(
      "Attention",
      [
        [2, 3, 4, 5],
        [2, 3, 6, 5],
        [2, 3, 6, 7],
      ],
      {},
      { opset: 23 },
    ),
    plain(
      "Attention",
      [
        [2, 4, 3, 5],
        [2, 2, 6, 5],
        [2, 2, 6, 7],
        [3, 6],
      ],
      { scale: float(0.4) },
      { opset: 23 },
    ),
    plain(
      "Attention",
      [
        [2, 4, 6],
        [2, 4, 6],
        [2, 4, 6],
      ],
      { q_num_heads: int(3), kv_num_heads: int(3), is_causal: int(1) },
      { opset: 23 },
    ),
    plain(
      "Attention",
      [
        [2, 4, 8],
        [2, 5, 4],
        [2, 5, 6],
      ],
      { q_num_heads: int(4), kv_num_heads: int(2) },
      { opset: 23 },
    ),
    withConstants(
      "Attention",
      [
        [1, 2, 2, 3],
        [1, 2, 3, 3],
        [1, 2, 3, 3],
      ],
      (b) => [b.constant({ dtype: "bool", dims: [2, 3], data: Uint8Array.from([1, 0, 1, 1, 1, 0]) })],
      { opset: 23 },
    ),
  ],
  GridSample: [
    plain(
      "GridSample",
      [
        [2, 3, 4, 5],
        [2, 3, 2, 2],
      ],
      {},
      { range: [-0.97, 0.98] },
    ),
    plain(
      "GridSample",
      [
        [2, 3, 4, 5],
        [2, 3, 2, 2],
      ],
      { align_corners: int(1) },
      { range: [-0.97, 0.98] },
    ),
    plain(
      "GridSample",
      [
        [1, 2, 4, 5],
        [1, 4, 3, 2],
      ],
      { padding_mode: string("border") },
    ),
    plain(
      "GridSample",
      [
        [1, 2, 4, 5],
        [1, 4, 3, 2],
      ],
      { mode: string("linear") },
      { opset: 20 },
    ),
  ],
  QuantizeLinear: [
    {
      inputs: [[3, 8]],
      write: (b, [x = ""]) => quantised(b, x, { scale: b.float(1e-4), zero: "int16" }),
      opset: 21,
      tolerance: 1e-2,
    },
    {
      inputs: [[3, 8]],
      write: (b, [x = ""]) => quantised(b, x, { scale: b.float(2e-5), zero: "uint16" }),
      opset: 21,
      tolerance: 1e-2,
    },
  ],
  DequantizeLinear: [
    {
      inputs: [[2, 3, 4]],
      write: (b, [x = ""]) => quantised(b, x, { scale: b.float(1e-4, 2e-4, 3e-4), zero: "int16" }),
      opset: 21,
      tolerance: 1e-2,
    },
  ],
};

/** There and back. The steps are so fine that differences hardly see them; half of the second range is cut off. */
function quantised(
  b: GraphBuilder,
  x: ValueName,
  { scale, zero }: { scale: ValueName; zero: "int16" | "uint16" },
): ValueName {
  const zeros = b.op("Cast", [b.op("Mul", [scale, b.float(0)])], { to: int(zero === "int16" ? 5 : 4) });
  const level = b.op("QuantizeLinear", [x, scale, zeros]);
  return b.op("DequantizeLinear", [level, scale, zeros]);
}
