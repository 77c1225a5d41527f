/**
 * @file Operators of older versions written as version 18 has them: what was an attribute is an input, what was implied
 * is stated. Newer versions need nothing, because rules read only what has kept its meaning since.
 * @source ONNX operator changelog, https://github.com/onnx/onnx/blob/main/docs/Changelog.md
 */
import { type Tensor, toNumbers } from "../../tensor/tensor.ts";
import { floatOf, intOf, intsOf } from "../attributes.ts";
import { type GraphBuilder, int, string } from "../builder.ts";
import type { Attribute, GraphNode, ValueName } from "../ir.ts";
import { type FloatType, floatTensor } from "../ops/writer.ts";

/** What lifting may use besides the node. */
export interface LiftContext {
  readonly b: GraphBuilder;
  /** Version of the standard operators in the graph. */
  readonly opset: number;
  /** Type of the numbers that attributes held. */
  readonly float: FloatType;
  constant(value: ValueName): Tensor | undefined;
}

/** The node as version 18 has it; what it needs besides is written first. */
export function lift(node: GraphNode, context: LiftContext): GraphNode {
  const rule = node.domain === "" && Object.hasOwn(lifts, node.op) ? lifts[node.op] : undefined;
  return rule !== undefined && context.opset < rule.since ? rule.lift(node, context) : node;
}

interface Lift {
  /** The first version that needs no lifting. */
  readonly since: number;
  lift(node: GraphNode, context: LiftContext): GraphNode;
}

const axesLift: Lift["lift"] = (node, { b }) => intsToInput(node, b, { name: "axes", at: 1 });

const coerced: Lift = {
  since: 13,
  /** Softmax was over all axes from the given one on, as one. */
  lift: (node, { b }) => {
    const [x = ""] = node.inputs;
    const axis = intOf(node, "axis", 1);
    const flat = b.op(node.op, [b.op("Flatten", [x], { axis: int(axis) })], { axis: int(-1) });
    return { ...node, op: "Reshape", inputs: [flat, b.op("Shape", [x])], attributes: {} };
  },
};

const lifts: Readonly<Record<string, Lift>> = {
  ...Object.fromEntries(
    ["Max", "Min", "Mean", "Prod", "L1", "L2", "SumSquare", "LogSum", "LogSumExp"].map((name) => [
      `Reduce${name}`,
      { since: 18, lift: axesLift },
    ]),
  ),
  ReduceSum: { since: 13, lift: axesLift },
  Squeeze: { since: 13, lift: axesLift },
  Unsqueeze: { since: 13, lift: axesLift },
  Softmax: coerced,
  LogSoftmax: coerced,
  Hardmax: coerced,
  Clip: {
    since: 11,
    lift: (node, { b, float }) => {
      const bound = (name: string): ValueName => {
        const value = floatOf(node, name, undefined);
        return value === undefined ? "" : b.constant(floatTensor(float, [], [value]));
      };
      return { ...without(node, ["min", "max"]), inputs: [node.inputs[0] ?? "", bound("min"), bound("max")] };
    },
  },
  Slice: {
    since: 10,
    lift: (node, { b }) => {
      const starts = intsOf(node, "starts", []);
      const axes = intsOf(node, "axes", [...starts.keys()]);
      const inputs = [node.inputs[0] ?? "", b.ints(...starts), b.ints(...intsOf(node, "ends", [])), b.ints(...axes)];
      return { ...node, inputs, attributes: {} };
    },
  },
  Pad: {
    since: 11,
    lift: (node, { b, float }) => {
      const value = b.constant(floatTensor(float, [], [floatOf(node, "value", 0)]));
      const inputs = [node.inputs[0] ?? "", b.ints(...intsOf(node, "pads", [])), value];
      return { ...without(node, ["pads", "value"]), inputs };
    },
  },
  Split: {
    since: 18,
    lift: (node, { b, opset }) => {
      const sizes = opset < 13 ? intsToInput(node, b, { name: "split", at: 1 }) : node;
      if ((sizes.inputs[1] ?? "") !== "") return sizes;
      const attributes = { ...sizes.attributes, num_outputs: int(node.outputs.length) };
      return { ...sizes, inputs: sizes.inputs.slice(0, 1), attributes };
    },
  },
  TopK: {
    since: 10,
    lift: (node, { b }) => ({
      ...without(node, ["k"]),
      inputs: [node.inputs[0] ?? "", b.ints(intOf(node, "k", 1))],
    }),
  },
  Scatter: { since: 11, lift: (node) => ({ ...node, op: "ScatterElements" }) },
  Upsample: {
    since: 10,
    lift: (node, { b }) => {
      const scales = node.inputs[1] ?? b.float(...floatsOf(node.attributes["scales"]));
      const attributes = { ...asymmetric("floor"), ...without(node, ["scales"]).attributes };
      return { ...node, op: "Resize", inputs: [node.inputs[0] ?? "", "", scales], attributes };
    },
  },
  Resize: {
    since: 11,
    /** The oldest version took the nearest position above where it made images smaller. */
    lift: (node, { constant }) => {
      const [x = "", scales = ""] = node.inputs;
      const known = constant(scales);
      const shrinks = known !== undefined && toNumbers(known).some((scale) => scale < 1);
      const attributes = { ...node.attributes, ...asymmetric(shrinks ? "ceil" : "floor") };
      return { ...node, inputs: [x, "", scales], attributes };
    },
  },
  Dropout: {
    since: 12,
    lift: (node) => ({ ...node, inputs: node.inputs.slice(0, 1), attributes: {} }),
  },
  BatchNormalization: {
    since: 14,
    /** Training was told by the number of outputs. */
    lift: (node) => {
      const isTraining = node.outputs.slice(1).some((output) => output !== "");
      const { attributes } = without(node, ["spatial", "is_test", "consumed_inputs"]);
      const outputs = node.outputs.slice(0, isTraining ? 3 : 1);
      return { ...node, outputs, attributes: { ...attributes, training_mode: int(isTraining ? 1 : 0) } };
    },
  },
};

function asymmetric(rounding: string): Record<string, Attribute> {
  return { coordinate_transformation_mode: string("asymmetric"), nearest_mode: string(rounding) };
}

function floatsOf(attribute: Attribute | undefined): readonly number[] {
  return attribute?.kind === "floats" ? attribute.value : [];
}

/** Makes a list of integers an input, where the node has it. */
function intsToInput(node: GraphNode, b: GraphBuilder, { name, at }: { name: string; at: number }): GraphNode {
  const value = intsOf(node, name, undefined);
  if (value === undefined) return node;
  return { ...without(node, [name]), inputs: [...node.inputs.slice(0, at), b.ints(...value)] };
}

function without(node: GraphNode, names: readonly string[]): GraphNode {
  const attributes = Object.fromEntries(Object.entries(node.attributes).filter(([name]) => !names.includes(name)));
  return { ...node, attributes };
}
