/** @file The intermediate representation: plain objects, no class per operator. A node is pure; names are values. */
import type { DType, Tensor } from "../tensor/tensor.ts";

/** The name of a value: a graph input, an initializer, or the output of exactly one node. */
export type ValueName = string;

/** A node attribute, tagged because protobuf attributes are typed (an integral float written as int is refused). */
export type Attribute =
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "ints"; readonly value: readonly number[] }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "strings"; readonly value: readonly string[] }
  | { readonly kind: "tensor"; readonly value: Tensor }
  /** Anything else (subgraphs, sparse tensors, types), kept as its AttributeProto bytes. */
  | { readonly kind: "opaque"; readonly value: Uint8Array };

/** One operator application. An empty string in `inputs` or `outputs` is an optional one left out. */
export interface GraphNode {
  readonly op: string;
  /** "" is the standard domain. */
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly ValueName[];
  readonly outputs: readonly ValueName[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A graph input or output: element type and dims; a string dim is symbolic, `undefined` dims are unknown. */
export interface GraphValue {
  readonly name: ValueName;
  readonly dtype: DType;
  readonly dims: readonly (number | string)[] | undefined;
}

/** A whole graph, nodes in topological order. */
export interface Graph {
  readonly name: string;
  /** Version of each operator domain that is used; "" is the standard one. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
  readonly initializers: ReadonlyMap<ValueName, Tensor>;
  readonly nodes: readonly GraphNode[];
}
