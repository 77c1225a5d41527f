/**
 * @file An ONNX model as graph. What computes is kept (subgraphs and odd tensors as bytes); what only describes is left
 * behind: documentation, metadata, inferred shapes, quantisation notes.
 */
import { FormatError, UnsupportedOpError } from "../core/errors.ts";
import { encodeAttribute } from "../onnx/codec.ts";
import { elementTypeName } from "../onnx/element-types.ts";
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeType,
  create,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "../onnx/schema.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { dtypeOf } from "./dtypes.ts";
import type { Attribute, Graph, GraphNode, GraphValue } from "./ir.ts";
import { labelOf } from "./names.ts";
import { checkGraph, sortNodes } from "./order.ts";
import { tensorFromProto } from "./tensor-proto.ts";

/**
 * The graph of a model. Weights are shared with the model where their bytes are aligned. External data must be inlined
 * first (`onnx/external-data.ts`).
 * @throws FormatError when a name is undefined or defined twice, or a tensor lies about its size; UnsupportedOpError for
 * what the graph has no place for: model-local functions, sparse weights, inputs and outputs that are not tensors of
 * numbers.
 */
export function graphFromModel(model: ModelProto): Graph {
  const { graph } = model;
  if (graph === undefined) throw new FormatError("model: expected a graph inside, got none.");
  refuse(model.functions.length, "functions of its own");
  refuse(graph.sparseInitializer.length, "sparse weights");
  const initializers = new Map<string, Tensor>();
  const constants: GraphNode[] = [];
  for (const proto of graph.initializer) {
    if (initializers.has(proto.name)) {
      throw new FormatError(`graph "${graph.name}": expected one initializer "${proto.name}", got two.`);
    }
    if (dtypeOf(proto.dataType) === undefined) constants.push(constantNode(proto));
    else initializers.set(proto.name, tensorFromProto(proto));
  }
  const stored = new Set(graph.initializer.map(({ name }) => name));
  const result: Graph = {
    name: graph.name,
    opsets: Object.fromEntries(
      model.opsetImport.map(({ domain, version }) => [standardDomain(domain), Number(version)]),
    ),
    // Models before version 4 of the format list their weights as inputs too.
    inputs: graph.input.filter(({ name }) => !stored.has(name)).map((value) => valueFromProto(value, graph)),
    outputs: graph.output.map((value) => valueFromProto(value, graph)),
    initializers,
    nodes: sortNodes([...constants, ...graph.node.map(nodeFromProto)]),
  };
  checkGraph(result);
  return result;
}

function refuse(count: number, what: string): void {
  if (count > 0) throw new UnsupportedOpError(`model: expected a plain graph, got one with ${count} ${what}.`);
}

/** The standard domain has two spellings. */
function standardDomain(domain: string): string {
  return domain === "ai.onnx" ? "" : domain;
}

/** A weight that our tensors cannot hold (text, 4 bits, 8-bit floats) becomes a node that holds its bytes. */
function constantNode(proto: TensorProto): GraphNode {
  const value = create(AttributeProtoSchema, { name: "value", type: AttributeType.TENSOR, t: proto });
  return {
    op: "Constant",
    domain: "",
    name: "",
    inputs: [],
    outputs: [proto.name],
    attributes: { value: { kind: "opaque", value: encodeAttribute(value) } },
  };
}

function valueFromProto({ name, type }: ValueInfoProto, { node }: GraphProto): GraphValue {
  if (type?.value.case !== "tensorType") {
    const kind = type?.value.case ?? "no type";
    const maker = node.find(({ output }) => output.includes(name));
    const advice = maker?.opType === "ZipMap" ? '. Do convert the model without it (options={"zipmap": False})' : "";
    const from = maker === undefined ? "" : ` from ${labelOf(nodeFromProto(maker))}${advice}`;
    throw new UnsupportedOpError(`value "${name}": expected a tensor, got ${kind}${from}.`);
  }
  const { elemType, shape } = type.value.value;
  const dtype = dtypeOf(elemType);
  if (dtype === undefined) {
    throw new UnsupportedOpError(
      `value "${name}": expected numbers of 8 to 64 bits, got ${elementTypeName(elemType)}.`,
    );
  }
  return {
    name,
    dtype,
    dims: shape?.dim.map(({ value }) => (value.case === "dimValue" ? Number(value.value) : (value.value ?? ""))),
  };
}

function nodeFromProto({ opType, domain, name, input, output, attribute }: NodeProto): GraphNode {
  return {
    op: opType,
    domain: standardDomain(domain),
    name,
    inputs: input,
    outputs: output,
    attributes: Object.fromEntries(attribute.map((proto) => [proto.name, attributeFromProto(proto)])),
  };
}

function attributeFromProto(proto: AttributeProto): Attribute {
  return plainAttribute(proto) ?? { kind: "opaque", value: encodeAttribute(proto) };
}

/** An attribute that the graph can read; `undefined` for subgraphs, types, references and bytes that are no text. */
function plainAttribute(proto: AttributeProto): Attribute | undefined {
  switch (proto.type) {
    case AttributeType.INT:
      return { kind: "int", value: safeInteger(proto.i) };
    case AttributeType.FLOAT:
      return { kind: "float", value: proto.f };
    case AttributeType.STRING: {
      const value = utf8(proto.s);
      return value === undefined ? undefined : { kind: "string", value };
    }
    case AttributeType.INTS:
      return { kind: "ints", value: proto.ints.map(safeInteger) };
    case AttributeType.FLOATS:
      return { kind: "floats", value: proto.floats };
    case AttributeType.STRINGS: {
      const value = proto.strings.map(utf8).filter((text) => text !== undefined);
      return value.length < proto.strings.length ? undefined : { kind: "strings", value };
    }
    case AttributeType.TENSOR:
      return proto.t === undefined || dtypeOf(proto.t.dataType) === undefined
        ? undefined
        : { kind: "tensor", value: tensorFromProto(proto.t) };
    default:
      return undefined;
  }
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Exporters write "to the end" as 2^63 - 1; the nearest number that JavaScript holds exactly means the same. */
function safeInteger(value: bigint): number {
  const limit = BigInt(Number.MAX_SAFE_INTEGER);
  return Number(value > limit ? limit : value < -limit ? -limit : value);
}
