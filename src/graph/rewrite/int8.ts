/**
 * @file Convolutions in 8 bits. Around a Conv go QuantizeLinear and DequantizeLinear, which every ONNX engine
 * understands; ONNX Runtime's CPU joins the group into one integer convolution.
 *
 * Activations are uint8 with a zero point, weights int8 around zero with a scale for each output channel, biases int32.
 * The weights are rounded by the graph itself, from the initializers as they are: so weights that are computed (joined,
 * reshaped, added up) are rounded too, and the engine does it once, at load.
 */
import { OptionError, UnsupportedOpError } from "../../core/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { int, ints } from "../builder.ts";
import type { Graph, GraphNode, ValueName } from "../ir.ts";
import { checkGraph } from "../order.ts";
import { constantConvolutions, convolutionOf } from "./convolutions.ts";

/** The numbers that a value is expected to hold; what lies outside is cut off. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Ranges of values by name. */
export type Ranges = ReadonlyMap<ValueName, Range>;

/** First version of the standard operators where QuantizeLinear has an axis. */
const LOWEST_OPSET = 13;

/**
 * Largest weight in steps. With 127, x86 without VNNI would cut off sums: it adds two products of up to 255 * 127 in 16
 * bits. 255 * 64 * 2 fits, so results do not depend on the CPU's generation.
 */
const WEIGHT_STEPS = 64;

/** Element types as ONNX numbers them. */
const [INT8, INT32] = [3, 6];

/**
 * Rounds every convolution with constant weights whose input and output have a range; the others stay as they are.
 * Values keep their names.
 * @throws OptionError when a range is not finite; UnsupportedOpError for operators before opset 13; FormatError when the
 * graph already has values with the names of the new ones.
 */
export function quantizeConvolutions(graph: Graph, ranges: Ranges): Graph {
  const opset = graph.opsets[""] ?? 0;
  if (opset < LOWEST_OPSET) {
    throw new UnsupportedOpError(`int8: expected operators of opset ${LOWEST_OPSET} or newer, got opset ${opset}.`);
  }
  const convs = constantConvolutions(graph);
  const writer = new Writer(graph, opset);
  for (const node of graph.nodes) {
    const { input, output } = convolutionOf(node);
    const [x, y] = [ranges.get(input), ranges.get(output)];
    if (!convs.has(node) || x === undefined || y === undefined) writer.nodes.push(node);
    else writeConvolution(writer, node, { x: levelsOf(writer, input, x), y: levelsOf(writer, output, y) });
  }
  const quantized = { ...graph, initializers: writer.initializers, nodes: writer.nodes };
  checkGraph(quantized);
  return quantized;
}

/** Collects the new graph. A node or constant that is asked for again is the one that is there. */
class Writer {
  readonly nodes: GraphNode[] = [];
  readonly initializers: Map<ValueName, Tensor>;
  readonly opset: number;
  readonly #written = new Set<ValueName>();

  constructor(graph: Graph, opset: number) {
    this.initializers = new Map(graph.initializers);
    this.opset = opset;
  }

  float(name: ValueName, value: number): ValueName {
    this.initializers.set(name, { dtype: "float32", dims: [], data: Float32Array.of(value) });
    return name;
  }

  node(name: ValueName, op: string, inputs: readonly ValueName[], attributes: GraphNode["attributes"] = {}): ValueName {
    if (!this.#written.has(name)) this.nodes.push({ op, domain: "", name, inputs, outputs: [name], attributes });
    this.#written.add(name);
    return name;
  }
}

/** How a value is rounded: `scale * (level - zero)` with levels 0..255. */
interface Levels {
  readonly scale: ValueName;
  readonly zero: ValueName;
}

/** One convolution with its input, weights, bias and output in integers. */
function writeConvolution(writer: Writer, node: GraphNode, { x, y }: { x: Levels; y: Levels }): void {
  const [input = "", weight = "", bias = ""] = node.inputs;
  const { output } = convolutionOf(node);
  const { steps, scale } = roundWeight(writer, weight);
  const inputs = [
    roundValue(writer, input, x, `${input}/int8`),
    writer.node(`${weight}/int8`, "DequantizeLinear", [steps, scale], { axis: int(0) }),
  ];
  if (bias !== "") {
    const step = writer.node(`${output}/int8/bias-scale`, "Mul", [scale, x.scale]);
    const exact = writer.node(`${output}/int8/bias-exact`, "Div", [bias, step]);
    const whole = writer.node(`${output}/int8/bias-whole`, "Round", [exact]);
    const integer = writer.node(`${output}/int8/bias-steps`, "Cast", [whole], { to: int(INT32) });
    inputs.push(writer.node(`${output}/int8/bias`, "DequantizeLinear", [integer, step], { axis: int(0) }));
  }
  const exact = writer.node(`${output}/int8/exact`, node.op, inputs, node.attributes);
  roundValue(writer, exact, y, output);
}

/** A value rounded to 8 bits and back, under the name `as`. */
function roundValue(writer: Writer, value: ValueName, { scale, zero }: Levels, as: ValueName): ValueName {
  const level = writer.node(`${as}/level`, "QuantizeLinear", [value, scale, zero]);
  return writer.node(as, "DequantizeLinear", [level, scale, zero]);
}

/** The 256 levels of a value. Zero is one of them, because padding is zero. */
function levelsOf(writer: Writer, value: ValueName, range: Range): Levels {
  const [min, max] = [Math.min(range.min, 0), Math.max(range.max, 0)];
  if (!Number.isFinite(max - min)) {
    throw new OptionError(`int8: expected finite ends of the range of "${value}", got ${range.min} to ${range.max}.`);
  }
  const scale = Math.fround((max - min) / 255) || 1;
  const zero = `${value}/int8/zero`;
  writer.initializers.set(zero, {
    dtype: "uint8",
    dims: [],
    data: Uint8Array.of(Math.min(255, Math.round(-min / scale))),
  });
  return { scale: writer.float(`${value}/int8/scale`, scale), zero };
}

/** Weights [O, …] in steps, and the size of a step for each output channel: its largest weight is 64 of them. */
function roundWeight(writer: Writer, weight: ValueName): { steps: ValueName; scale: ValueName } {
  const name = `${weight}/int8`;
  const rows = writer.node(`${name}/rows`, "Flatten", [weight], { axis: int(1) });
  const sizes = writer.node(`${name}/sizes`, "Abs", [rows]);
  const largest = largestOfRows(writer, sizes, `${name}/largest`);
  // A channel without any weight has steps of some size all the same.
  const some = writer.node(`${name}/some`, "Max", [largest, writer.float("int8/tiny", 1e-30)]);
  const scale = writer.node(`${name}/scale`, "Div", [some, writer.float("int8/weight-steps", WEIGHT_STEPS)]);
  const none = writer.node(`${name}/none`, "Sub", [scale, scale]);
  const zero = writer.node(`${name}/zero`, "Cast", [none], { to: int(INT8) });
  return { steps: writer.node(`${name}/steps`, "QuantizeLinear", [weight, scale, zero], { axis: int(0) }), scale };
}

/** In opset 18 the axes of reductions became an input. */
function largestOfRows(writer: Writer, rows: ValueName, as: ValueName): ValueName {
  const keepdims = int(0);
  if (writer.opset < 18) return writer.node(as, "ReduceMax", [rows], { axes: ints(1), keepdims });
  const axis = "int8/axis";
  writer.initializers.set(axis, { dtype: "int64", dims: [1], data: BigInt64Array.of(1n) });
  return writer.node(as, "ReduceMax", [rows, axis], { keepdims });
}
