/** @file A graph as ONNX model. */
import { decodeAttribute, encodeModel } from "../onnx/codec.ts";
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeType,
  create,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "../onnx/schema.ts";
import { onnxTypeOf } from "./dtypes.ts";
import type { Attribute, Graph, GraphNode, GraphValue } from "./ir.ts";
import { tensorToProto } from "./tensor-proto.ts";

/** Version of the file format: 8 came with opset 18, 10 brought the types of later opsets. Every engine of today reads both. */
function irVersion(opset: number): bigint {
  return opset <= 18 ? 8n : 10n;
}

/** The model of a graph. Weights are shared with the graph, not copied. */
export function graphToModel(graph: Graph): ModelProto {
  return create(ModelProtoSchema, {
    irVersion: irVersion(graph.opsets[""] ?? 0),
    producerName: "untrigger",
    opsetImport: Object.entries(graph.opsets).map(([domain, version]) => ({ domain, version: BigInt(version) })),
    graph: {
      name: graph.name,
      input: graph.inputs.map(valueToProto),
      output: graph.outputs.map(valueToProto),
      initializer: [...graph.initializers].map(([name, value]) => tensorToProto(name, value)),
      node: graph.nodes.map(nodeToProto),
    },
  });
}

/** The bytes of a graph's model, ready for a runtime. */
export function graphToBytes(graph: Graph): Uint8Array {
  return encodeModel(graphToModel(graph));
}

function valueToProto({ name, dtype, dims }: GraphValue): ValueInfoProto {
  return create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: "tensorType",
        value: {
          elemType: onnxTypeOf[dtype],
          ...(dims && {
            shape: {
              dim: dims.map(dimToProto),
            },
          }),
        },
      },
    },
  });
}

/** A number, a symbol, or the empty string for a dim of which nothing is known. */
function dimToProto(dim: number | string) {
  if (typeof dim === "number") return { value: { case: "dimValue" as const, value: BigInt(dim) } };
  return dim === "" ? {} : { value: { case: "dimParam" as const, value: dim } };
}

function nodeToProto({ op, domain, name, inputs, outputs, attributes }: GraphNode): NodeProto {
  return create(NodeProtoSchema, {
    opType: op,
    domain,
    name,
    input: [...inputs],
    output: [...outputs],
    attribute: Object.entries(attributes).map(([key, attribute]) => attributeToProto(key, attribute)),
  });
}

function attributeToProto(name: string, attribute: Attribute): AttributeProto {
  switch (attribute.kind) {
    case "int":
      return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(attribute.value) });
    case "float":
      return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: attribute.value });
    case "string":
      return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s: utf8(attribute.value) });
    case "ints":
      return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: attribute.value.map(BigInt) });
    case "floats":
      return create(AttributeProtoSchema, { name, type: AttributeType.FLOATS, floats: [...attribute.value] });
    case "strings":
      return create(AttributeProtoSchema, { name, type: AttributeType.STRINGS, strings: attribute.value.map(utf8) });
    case "tensor":
      return create(AttributeProtoSchema, { name, type: AttributeType.TENSOR, t: tensorToProto("", attribute.value) });
    case "opaque":
      return decodeAttribute(attribute.value);
  }
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
