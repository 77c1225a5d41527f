/**
 * @file Finds group normalisation where it is written out, as exporters and our own layers do: x as [N, groups, rest],
 * InstanceNormalization of that without scale, the dims of x again, then a scale and a shift for each channel.
 * Differentiated piece by piece it costs twice as many passes over the map as in one.
 */
import { elementCount, sameDims } from "../../tensor/shape.ts";
import { toNumbers } from "../../tensor/tensor.ts";
import { floatOf, intOf } from "../attributes.ts";
import { float, int } from "../builder.ts";
import type { Facts } from "../facts.ts";
import type { Graph, GraphNode, ValueName } from "../ir.ts";
import { valuesReadBy } from "../values-read.ts";

/** What must be known of a graph's values before nodes are joined. */
export interface JoinOptions {
  /** Values that depend on what is differentiated by. */
  readonly active: ReadonlySet<ValueName>;
  /** Values that somebody asks for by name: they do not disappear, and initializers among them may change. */
  readonly named: ReadonlySet<ValueName>;
}

/**
 * Writes such runs of nodes as one GroupNormalization each, whose record knows the whole gradient. For differentiation
 * alone, which lowers every active node again: the graph may be of an opset that does not have the operator.
 */
export function joinGroupNorms(graph: Graph, facts: Facts, { active, named }: JoinOptions): Graph {
  const view = viewOf(graph, facts, named);
  const isActive = ({ outputs }: GraphNode): boolean => outputs.some((output) => active.has(output));
  const found = new Map(
    graph.nodes.map((node) => [node, isActive(node) ? runEndingAt(node, view) : undefined] as const),
  );
  const inner = new Set([...found.values()].flatMap((run) => run?.inner ?? []));
  if (inner.size === 0) return graph;
  const nodes = graph.nodes.flatMap((node) => {
    const run = found.get(node);
    if (run === undefined) return inner.has(node) ? [] : [node];
    const attributes = { num_groups: int(run.groups), epsilon: float(run.epsilon) };
    return [{ ...node, op: "GroupNormalization", inputs: [run.x, run.scale, run.shift], attributes }];
  });
  return { ...graph, nodes };
}

/** What a run of nodes computes, and the nodes before its last. */
interface Run {
  readonly x: ValueName;
  readonly scale: ValueName;
  readonly shift: ValueName;
  readonly groups: number;
  readonly epsilon: number;
  readonly inner: readonly GraphNode[];
}

/** What is asked about the values of a graph. */
interface View {
  dims(value: ValueName | undefined): readonly number[];
  /** The node of one operator that makes a value which only one other node reads. */
  maker(value: ValueName | undefined, op: string): GraphNode | undefined;
  /** Whether a value is one number everywhere, always. */
  isFilled(value: ValueName | undefined, number: number): boolean;
}

function viewOf(graph: Graph, facts: Facts, named: ReadonlySet<ValueName>): View {
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  const readers = new Map<ValueName, number>();
  const read = [
    ...named,
    ...graph.outputs.map(({ name }) => name),
    ...graph.nodes.flatMap((n) => [...valuesReadBy(n)]),
  ];
  for (const value of read) readers.set(value, (readers.get(value) ?? 0) + 1);
  return {
    dims: (value = "") => facts.get(value)?.dims ?? [],
    maker: (value = "", op) => {
      const node = producers.get(value);
      return node !== undefined && isOp(node, op) && readers.get(value) === 1 ? node : undefined;
    },
    isFilled: (value = "", number) => {
      const tensor = named.has(value) ? undefined : graph.initializers.get(value);
      return tensor !== undefined && toNumbers(tensor).every((entry) => entry === number);
    },
  };
}

function runEndingAt(node: GraphNode, view: View): Run | undefined {
  const affine = affineOf(node, view);
  const merge = affine && view.maker(affine.x, "Reshape");
  const norm = merge && view.maker(merge.inputs[0], "InstanceNormalization");
  const split = norm && view.maker(norm.inputs[0], "Reshape");
  if (affine === undefined || merge === undefined || norm === undefined || split === undefined) return undefined;
  const [x = ""] = split.inputs;
  const [dims, grouped] = [view.dims(x), view.dims(split.outputs[0])];
  const [n, c = 0] = dims;
  const [rows, groups = 0] = grouped;
  const isGrouping = grouped.length === 3 && rows === n && groups > 0 && c % groups === 0;
  if (!isGrouping || dims.length < 3 || !sameDims(dims, view.dims(affine.x))) return undefined;
  if (!view.isFilled(norm.inputs[1], 1) || !view.isFilled(norm.inputs[2], 0)) return undefined;
  const { scale, shift } = affine;
  return {
    x,
    scale,
    shift,
    groups,
    epsilon: floatOf(norm, "epsilon", 1e-5),
    inner: [split, norm, merge, ...affine.inner],
  };
}

/** The scale and shift for each channel that a node ends: a BatchNormalization that does nothing else, or Mul and Add. */
function affineOf(node: GraphNode, view: View): Pick<Run, "x" | "scale" | "shift" | "inner"> | undefined {
  const [a = "", b = "", c = "", mean, variance] = node.inputs;
  if (isOp(node, "BatchNormalization")) {
    const isPlain = intOf(node, "training_mode", 0) === 0 && floatOf(node, "epsilon", 1e-5) === 0;
    return isPlain && view.isFilled(mean, 0) && view.isFilled(variance, 1)
      ? { x: a, scale: b, shift: c, inner: [] }
      : undefined;
  }
  if (!isOp(node, "Add")) return undefined;
  const shift = isPerChannel(a, b, view) ? a : b;
  const product = view.maker(shift === a ? b : a, "Mul");
  if (product === undefined) return undefined;
  const [p = "", q = ""] = product.inputs;
  const scale = isPerChannel(p, q, view) ? p : q;
  const x = scale === p ? q : p;
  return isPerChannel(scale, x, view) && isPerChannel(shift, x, view)
    ? { x, scale, shift, inner: [product] }
    : undefined;
}

/** Whether a value broadcasts over a map [N, C, …] as one number per channel: [C, 1, 1], [1, C, 1, 1]. */
function isPerChannel(value: ValueName, map: ValueName, view: View): boolean {
  const [dims, target] = [view.dims(value), view.dims(map)];
  const [, c = 0, ...space] = target;
  const expected = [1, c, ...space.map(() => 1)];
  return (
    target.length > 2 &&
    elementCount(dims) === c &&
    sameDims(dims, expected.slice(-dims.length)) &&
    dims.length >= expected.length - 1
  );
}

function isOp({ op, domain }: GraphNode, name: string): boolean {
  return op === name && domain === "";
}
