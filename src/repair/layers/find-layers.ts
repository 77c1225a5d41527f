/**
 * @file The layers of a network whose channels can be switched off by their parameters alone, so that nothing has to be
 * added to the network: normalisations, convolutions, linear layers.
 */
import { floatOf, intOf, intsOf } from "../../graph/attributes.ts";
import { isConstantName } from "../../graph/builder.ts";
import type { Graph, GraphNode, ValueName } from "../../graph/ir.ts";
import { valuesReadBy } from "../../graph/values-read.ts";

/** An input of a node. */
export interface Place {
  readonly node: GraphNode;
  readonly input: number;
}

/** A stored parameter with a number, a kernel or a column for every channel. */
export interface ChannelParameter {
  /** The initializer, float32. */
  readonly value: ValueName;
  /** The axis along which channels lie. */
  readonly axis: number;
  readonly channels: number;
  /** Where it is read as this; an exporter may have merged it with something else. */
  readonly places: readonly Place[];
}

/** A layer: `y = scale * x + shift` for every channel, whatever the scale does with x. */
export interface Layer {
  readonly kind: "norm" | "weights";
  /** The nodes that it is: several where it is used several times. */
  readonly nodes: readonly GraphNode[];
  /** Parameters by output channel. */
  readonly scale: ChannelParameter;
  readonly shift: ChannelParameter | undefined;
  /** The weights by input channel; `undefined` for normalisations and for convolutions in groups. */
  readonly incoming: ChannelParameter | undefined;
  /** The value that the layer reads. */
  readonly input: ValueName;
  /** The values that it writes, its shift included: one for each use. */
  readonly outputs: readonly ValueName[];
  /** The axis of channels in what it reads and writes: second for maps, last for vectors. */
  readonly axis: "second" | "last";
  /** No other layer is between this one and the scores: its channels are classes. */
  readonly writesScores: boolean;
}

/** A layer before those that share its parameters are joined. */
type FoundLayer = Omit<Layer, "writesScores">;

/**
 * The layers of a network.
 * @param graph in inference mode and normal form. @param output the scores.
 */
export function findLayers(graph: Graph, output: ValueName): readonly Layer[] {
  const around = neighboursOf(graph);
  const layers = new Map<string, FoundLayer>();
  for (const node of graph.nodes) {
    const found = layerOf(node, graph, around);
    if (found === undefined) continue;
    const key = [node.op, ...node.inputs.slice(1), found.shift?.value].join("\n");
    const known = layers.get(key);
    layers.set(key, known === undefined ? found : join(known, found));
  }
  const last = writersOf(graph, output, new Set([...layers.values()].flatMap(({ nodes }) => nodes)));
  return [...layers.values()].map((layer) => ({ ...layer, writesScores: layer.nodes.some((node) => last.has(node)) }));
}

/** A layer that is used once more. */
function join(known: FoundLayer, again: FoundLayer): FoundLayer {
  const both = <P extends ChannelParameter | undefined>(a: P, b: P): P =>
    a && b ? { ...a, places: [...a.places, ...b.places] } : a;
  return {
    ...known,
    nodes: [...known.nodes, ...again.nodes],
    outputs: [...known.outputs, ...again.outputs],
    scale: both(known.scale, again.scale),
    shift: both(known.shift, again.shift),
    incoming: both(known.incoming, again.incoming),
  };
}

/** Who makes and who reads a value. */
interface Neighbours {
  readonly maker: ReadonlyMap<ValueName, GraphNode>;
  readonly readers: ReadonlyMap<ValueName, readonly GraphNode[]>;
}

function neighboursOf({ nodes }: Graph): Neighbours {
  const maker = new Map<ValueName, GraphNode>();
  const readers = new Map<ValueName, GraphNode[]>();
  for (const node of nodes) {
    for (const value of node.outputs) maker.set(value, node);
    for (const value of valuesReadBy(node)) readers.set(value, [...(readers.get(value) ?? []), node]);
  }
  return { maker, readers };
}

function layerOf(node: GraphNode, graph: Graph, around: Neighbours): FoundLayer | undefined {
  if (node.domain !== "") return undefined;
  const own = (input: number, axis: number): ChannelParameter | undefined => parameter(graph, { node, input }, axis);
  const [, , bias = ""] = node.inputs;
  switch (node.op) {
    case "BatchNormalization":
      return layer("norm", node, { scale: own(1, 0), shift: own(2, 0) });
    case "Conv":
      return layer("weights", node, {
        scale: own(1, 0),
        shift: own(2, 0),
        incoming: intOf(node, "group", 1) === 1 ? own(1, 1) : undefined,
      });
    case "ConvTranspose":
      if (intOf(node, "group", 1) !== 1) return undefined;
      return layer("weights", node, { scale: own(1, 1), shift: own(2, 0), incoming: own(1, 0) });
    case "Gemm": {
      if (intOf(node, "transA", 0) === 1 || floatOf(node, "beta", 1) !== 1) return undefined;
      const [outgoing, incoming] = intOf(node, "transB", 0) === 1 ? [0, 1] : [1, 0];
      const parts = { scale: own(1, outgoing), shift: own(2, lastAxis(graph, bias)), incoming: own(1, incoming) };
      return layer("weights", node, { ...parts, axis: "last" });
    }
    case "MatMul": {
      const { place, axes } = matrixOf(node, around);
      if (graph.initializers.get(place.node.inputs[place.input] ?? "")?.dims.length !== 2) return undefined;
      const [incoming, scale] = axes.map((axis) => parameter(graph, place, axis));
      const behind = biasBehind(node, scale?.channels, { graph, around });
      return layer("weights", node, { scale, shift: behind?.shift, incoming, axis: "last", output: behind?.output });
    }
    default:
      return undefined;
  }
}

/** The parts of a layer; `undefined` when its weights, or the bias that it has, are not stored by channel. */
function layer(
  kind: Layer["kind"],
  node: GraphNode,
  parts: {
    readonly scale: ChannelParameter | undefined;
    readonly shift: ChannelParameter | undefined;
    readonly incoming?: ChannelParameter | undefined;
    readonly axis?: Layer["axis"];
    readonly output?: ValueName | undefined;
  },
): FoundLayer | undefined {
  const [input = "", , bias = ""] = node.inputs;
  const { scale, shift, incoming, axis = "second", output = node.outputs[0] ?? "" } = parts;
  if (scale === undefined || (bias !== "" && shift?.channels !== scale.channels)) return undefined;
  return { kind, nodes: [node], scale, shift, incoming, input, outputs: [output], axis };
}

/** A stored parameter; `undefined` for values that are computed, constants in the code, and other types. */
function parameter({ initializers }: Graph, place: Place, axis: number): ChannelParameter | undefined {
  const value = place.node.inputs[place.input] ?? "";
  const tensor = initializers.get(value);
  const channels = tensor?.dims[axis];
  if (tensor?.dtype !== "float32" || channels === undefined || isConstantName(value)) return undefined;
  return { value, axis, channels, places: [place] };
}

/** Biases are [K] or [1, K]. */
function lastAxis({ initializers }: Graph, bias: ValueName): number {
  return Math.max(0, (initializers.get(bias)?.dims.length ?? 1) - 1);
}

/** The right operand of a MatMul, which may be stored transposed; its axes of what comes in and of what goes out. */
function matrixOf(node: GraphNode, { maker }: Neighbours): { readonly place: Place; readonly axes: readonly number[] } {
  const turned = maker.get(node.inputs[1] ?? "");
  const isTransposed = turned?.op === "Transpose" && turned.domain === "";
  return isTransposed
    ? { place: { node: turned, input: 0 }, axes: intsOf(turned, "perm", [1, 0]) }
    : { place: { node, input: 1 }, axes: [0, 1] };
}

/** The bias of a MatMul: what an Add behind it, its only reader, adds to every row; and the sum. */
function biasBehind(
  { outputs: [output = ""] }: GraphNode,
  channels: number | undefined,
  { graph, around }: { readonly graph: Graph; readonly around: Neighbours },
): { readonly shift: ChannelParameter; readonly output: ValueName } | undefined {
  const [add, ...others] = around.readers.get(output) ?? [];
  if (add?.op !== "Add" || add.domain !== "" || others.length > 0) return undefined;
  const input = add.inputs[0] === output ? 1 : 0;
  const dims = graph.initializers.get(add.inputs[input] ?? "")?.dims ?? [];
  if (dims.slice(0, -1).some((dim) => dim !== 1)) return undefined;
  const shift = parameter(graph, { node: add, input }, dims.length - 1);
  return shift?.channels === channels && shift !== undefined ? { shift, output: add.outputs[0] ?? "" } : undefined;
}

/** The layers from which a value follows without another layer in between. Shapes do not count. */
function writersOf(graph: Graph, output: ValueName, layers: ReadonlySet<GraphNode>): ReadonlySet<GraphNode> {
  const wanted = new Set([output]);
  const found = new Set<GraphNode>();
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((name) => wanted.has(name)) || node.op === "Shape" || node.op === "Size") continue;
    if (layers.has(node)) found.add(node);
    else for (const name of valuesReadBy(node)) wanted.add(name);
  }
  return found;
}
