/** @file A graph as ONNX model. */
import { encodeModel } from "../onnx/codec.ts";
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeType,
  create,
  fromBinary,
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

const IR_VERSION = 8n;

/** The model of a graph. Weights are shared with the graph, not copied. */
export function graphToModel(graph: Graph): ModelProto {
  return create(ModelProtoSchema, {
    irVersion: IR_VERSION,
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
              dim: dims.map((dim) => ({
                value:
                  typeof dim === "number"
                    ? { case: "dimValue" as const, value: BigInt(dim) }
                    : { case: "dimParam" as const, value: dim },
              })),
            },
          }),
        },
      },
    },
  });
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
      return fromBinary(AttributeProtoSchema, attribute.value);
  }
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
