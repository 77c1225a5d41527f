/**
 * @file Writes graphs. Constants are interned (equal bytes are one initializer) and nodes are hash-consed (the same
 * operator on the same inputs with the same attributes is one node), so code above may ask for the same thing twice.
 * No operator is special here: layers are in `nn/`, gradients are written over this same builder. Where results must not
 * depend on the batch size, right operands of `MatMul` and `Gemm` are weights, or computed from weights alone: see
 * `test/contract/batch-invariance.test.ts`.
 */
import { FormatError } from "../core/errors.ts";
import { elementCount } from "../tensor/shape.ts";
import type { DType, Tensor } from "../tensor/tensor.ts";
import type { Attribute, Graph, GraphNode, GraphValue, ValueName } from "./ir.ts";
import { checkGraph } from "./order.ts";
import { TensorTable } from "./tensor-table.ts";
import { valuesReadBy } from "./values-read.ts";

/** Version of the standard operators that the builder writes. */
export const OPSET = 18;

/** An integer attribute. */
export const int = (value: number): Attribute => ({ kind: "int", value });
/** A list of integers as attribute. */
export const ints = (...value: readonly number[]): Attribute => ({ kind: "ints", value });
/** A float attribute, also when the number is integral. */
export const float = (value: number): Attribute => ({ kind: "float", value });
/** A string attribute. */
export const string = (value: string): Attribute => ({ kind: "string", value });

/** The stem of the names of {@link GraphBuilder.constant}. */
const CONSTANT = "const";

/** Whether an initializer is a constant of a builder, not a weight: its name tells, also after a trip through a file. */
export function isConstantName(name: ValueName): boolean {
  return /^const_\d+$/.test(name);
}

/** What a {@link GraphBuilder} is given besides inputs. */
export interface NodeOptions {
  readonly domain?: string;
  /** How many outputs the node has; 1 when left out. */
  readonly outputs?: number;
}

/**
 * Collects nodes, constants, inputs and outputs; {@link GraphBuilder.build} returns the finished graph. Values are
 * defined before they are used: every method throws FormatError for a name that is unknown or taken.
 */
export class GraphBuilder {
  readonly #inputs: GraphValue[] = [];
  readonly #outputs: { value: ValueName; as: GraphValue }[] = [];
  readonly #initializers = new Map<ValueName, Tensor>();
  readonly #tensors = new TensorTable();
  readonly #constants = new Map<number, ValueName>();
  readonly #nodes: GraphNode[] = [];
  readonly #known = new Map<string, readonly ValueName[]>();
  readonly #opsets: Record<string, number> = { "": OPSET };
  readonly #defined = new Set<ValueName>();
  readonly #adopted = new Set<ValueName>();
  readonly #reserved: ReadonlySet<ValueName>;
  #counter = 0;

  /** @param reserved names that new values must not take, because a graph that is written anew has them. */
  constructor(reserved: Iterable<ValueName> = []) {
    this.#reserved = new Set(reserved);
  }

  /** Declares a graph input; a string dim is symbolic, no dims at all are unknown ones. */
  input(name: string, dtype: DType, dims: readonly (number | string)[] | undefined): ValueName {
    this.#define(name);
    this.#inputs.push({ name, dtype, dims });
    return name;
  }

  /** A named initializer: weights keep the names they have in their checkpoint. */
  weight(name: string, value: Tensor): ValueName {
    this.#define(name);
    this.#initializers.set(name, value);
    return name;
  }

  /** An anonymous constant; equal constants are one initializer. The tensor must not be changed afterwards. */
  constant(value: Tensor): ValueName {
    const id = this.#tensors.idOf(value);
    const known = this.#constants.get(id);
    if (known !== undefined) return known;
    const name = this.#fresh(CONSTANT);
    this.#defined.add(name);
    this.#constants.set(id, name);
    this.#initializers.set(name, value);
    return name;
  }

  /** A float32 constant: a scalar, or a vector. */
  float(...values: readonly number[]): ValueName {
    const dims = values.length === 1 ? [] : [values.length];
    return this.constant({ dtype: "float32", dims, data: Float32Array.from(values) });
  }

  /** A one-dimensional int64 constant: shapes, axes, starts. */
  ints(...values: readonly number[]): ValueName {
    return this.constant({ dtype: "int64", dims: [values.length], data: BigInt64Array.from(values, BigInt) });
  }

  /** Applies an operator with one output. */
  op(op: string, inputs: readonly ValueName[], attributes: Readonly<Record<string, Attribute>> = {}): ValueName {
    const [output] = this.ops(op, inputs, attributes, { outputs: 1 });
    if (output === undefined) throw new Error(`internal: ${op} without an output`);
    return output;
  }

  /** Applies an operator with any number of outputs, or of another domain. */
  ops(
    op: string,
    inputs: readonly ValueName[],
    attributes: Readonly<Record<string, Attribute>>,
    { domain = "", outputs = 1 }: NodeOptions = {},
  ): readonly ValueName[] {
    for (const input of inputs) if (input !== "") this.#require(input, op);
    const keys = Object.keys(attributes).sort();
    const key = JSON.stringify([
      op,
      domain,
      inputs,
      outputs,
      keys.map((name) => [name, this.#keyOf(attributes[name])]),
    ]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const name = this.#fresh(op);
    const names = Array.from({ length: outputs }, (_, i) => (outputs === 1 ? name : `${name}.${i}`));
    for (const output of names) this.#defined.add(output);
    this.#nodes.push({ op, domain, name, inputs, outputs: names, attributes });
    this.#known.set(key, names);
    return names;
  }

  /** Applies an operator as a node of another graph does, under the names that its outputs have there. */
  adopt(node: GraphNode): void {
    for (const input of node.inputs) if (input !== "") this.#require(input, node.op);
    for (const output of node.outputs) {
      if (output === "") continue;
      this.#define(output);
      this.#adopted.add(output);
    }
    this.#nodes.push(node);
  }

  /** Declares which version of an operator domain the graph uses; "" is the standard one. */
  useDomain(domain: string, version: number): void {
    this.#opsets[domain] = version;
  }

  /** Names a value as a graph output. An adopted node's output may keep its name. */
  output(name: string, value: ValueName, dtype: DType, dims?: readonly (number | string)[]): void {
    this.#require(value, `the output "${name}"`);
    if (name !== value || !this.#adopted.has(value)) this.#define(name);
    this.#outputs.push({ value, as: { name, dtype, dims } });
  }

  /** The finished graph. Nodes that no output needs are left out, and so are their constants. */
  build(name: string): Graph {
    const nodes = [...this.#nodes];
    for (const { value, as } of this.#outputs) {
      if (value === as.name) continue;
      nodes.push({ op: "Identity", domain: "", name: as.name, inputs: [value], outputs: [as.name], attributes: {} });
    }
    const needed = new Set<ValueName>(this.#outputs.map(({ as }) => as.name));
    const kept: GraphNode[] = [];
    for (const node of nodes.reverse()) {
      if (!node.outputs.some((output) => needed.has(output))) continue;
      for (const input of valuesReadBy(node)) needed.add(input);
      kept.push(node);
    }
    const graph: Graph = {
      name,
      opsets: { ...this.#opsets },
      inputs: [...this.#inputs],
      outputs: this.#outputs.map(({ as }) => as),
      initializers: new Map([...this.#initializers].filter(([key]) => needed.has(key))),
      nodes: kept.reverse(),
    };
    checkGraph(graph);
    return graph;
  }

  #define(name: ValueName): void {
    if (this.#defined.has(name)) throw new FormatError(`graph: expected a new name, got "${name}" a second time.`);
    this.#defined.add(name);
  }

  #require(name: ValueName, user: string): void {
    if (!this.#defined.has(name)) {
      throw new FormatError(`graph: expected a value "${name}" before ${user} uses it, got none of that name.`);
    }
  }

  /** Whether a name, or the first of those that several outputs get from it, is not free. */
  #isTaken(name: ValueName): boolean {
    return [name, `${name}.0`].some((value) => this.#defined.has(value) || this.#reserved.has(value));
  }

  /** What tells an attribute from others, as JSON. Tensors and bytes are numbered, not written out. */
  #keyOf(attribute: Attribute | undefined): unknown {
    switch (attribute?.kind) {
      case "tensor":
        return ["tensor", this.#tensors.idOf(attribute.value)];
      case "opaque": {
        const data = attribute.value;
        return ["opaque", this.#tensors.idOf({ dtype: "uint8", dims: [data.length], data })];
      }
      case "float":
        return ["float", floatKey(attribute.value)];
      case "floats":
        return ["floats", attribute.value.map(floatKey)];
      default:
        return [attribute?.kind, attribute?.value];
    }
  }

  #fresh(stem: string): string {
    do this.#counter += 1;
    while (this.#isTaken(`${stem}_${this.#counter}`));
    return `${stem}_${this.#counter}`;
  }
}

/** JSON has no NaN, infinities or negative zero. */
function floatKey(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** How many values all initializers of a graph hold. */
export function parameterCount(graph: Graph): number {
  return [...graph.initializers.values()].reduce((sum, { dims }) => sum + elementCount(dims), 0);
}
