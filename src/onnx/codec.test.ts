import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FormatError } from "../core/errors.ts";
import { decodeAttribute, decodeModel, encodeAttribute, encodeModel } from "./codec.ts";
import {
  AttributeProtoSchema,
  AttributeType,
  create,
  DataType,
  type ModelProto,
  ModelProtoSchema,
  TensorProtoSchema,
} from "./schema.ts";

const golden = ["test/golden/defences/tiny.onnx", "test/golden/defences/noise.onnx"];

/** A model with one initializer of every kind that our own tensors cannot hold. */
function exoticModel(): ModelProto {
  return create(ModelProtoSchema, {
    irVersion: 11n,
    opsetImport: [{ domain: "", version: 23n }],
    graph: {
      name: "exotic",
      node: [
        {
          opType: "If",
          input: ["condition"],
          output: ["y"],
          attribute: [{ name: "then_branch", type: AttributeType.GRAPH, g: { name: "then" } }],
        },
      ],
      initializer: [
        create(TensorProtoSchema, {
          name: "int4",
          dataType: DataType.INT4,
          dims: [3n],
          rawData: Uint8Array.of(0x21, 3),
        }),
        create(TensorProtoSchema, {
          name: "float8",
          dataType: DataType.FLOAT8E4M3FN,
          dims: [2n],
          rawData: Uint8Array.of(0x38, 0x7f),
        }),
        create(TensorProtoSchema, {
          name: "text",
          dataType: DataType.STRING,
          dims: [2n],
          stringData: [Uint8Array.of(0xff, 0xfe), new TextEncoder().encode("ß")],
        }),
        create(TensorProtoSchema, { name: "complex", dataType: DataType.COMPLEX64, dims: [1n], floatData: [1, -2] }),
        create(TensorProtoSchema, {
          name: "int64",
          dataType: DataType.INT64,
          dims: [2n],
          int64Data: [2n ** 63n - 1n, -1n],
        }),
      ],
    },
  });
}

/** Field 1000 and field 2000 of a later ONNX: a varint and some bytes. */
const laterFields = Uint8Array.of(0xc0, 0x3e, 0x2a, 0x82, 0x7d, 0x03, 0x01, 0x02, 0x03);

describe("round trip", () => {
  test.each(golden)("%s is written byte for byte as it was read", (path) => {
    const bytes = new Uint8Array(readFileSync(path));
    expect(encodeModel(decodeModel(bytes))).toEqual(bytes);
  });

  test("element types that we do not hold survive", () => {
    const bytes = encodeModel(exoticModel());
    expect(encodeModel(decodeModel(bytes))).toEqual(bytes);
  });

  test("unknown fields survive in the model, its graph and its nodes", () => {
    const inner = exoticModel();
    const unknown = [
      { no: 1000, wireType: 0, data: Uint8Array.of(0x2a) },
      { no: 2000, wireType: 2, data: Uint8Array.of(0x03, 0x01, 0x02, 0x03) },
    ];
    inner.graph!.$unknown = unknown;
    inner.graph!.node[0]!.$unknown = unknown;
    const bytes = Uint8Array.of(...encodeModel(inner), ...laterFields);
    const decoded = decodeModel(bytes);
    expect(decoded.graph?.node[0]?.$unknown).toHaveLength(2);
    expect(encodeModel(decoded)).toEqual(bytes);
  });

  test("weights are views on the file, not copies", () => {
    const bytes = encodeModel(exoticModel());
    expect(decodeModel(bytes).graph?.initializer[0]?.rawData.buffer).toBe(bytes.buffer);
  });

  test("an attribute alone", () => {
    const attribute = create(AttributeProtoSchema, { name: "alpha", type: AttributeType.FLOAT, f: 0.5 });
    expect(decodeAttribute(encodeAttribute(attribute))).toEqual(attribute);
    expect(() => decodeAttribute(Uint8Array.of(0x0a, 0x7f))).toThrow(FormatError);
  });
});

describe("bytes that are no model", () => {
  const valid = encodeModel(exoticModel());
  test.each([
    ["nothing", new Uint8Array(), "ONNX model: expected a ModelProto, got an empty file."],
    [
      "a JPEG",
      Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16, 74, 70, 73, 70, 0, 1),
      /expected a ModelProto, got 12 bytes/,
    ],
    ["a PNG", Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13), /got 12 bytes/],
    ["text", new TextEncoder().encode("<html>not found</html>"), /got 22 bytes/],
    ["zeros", new Uint8Array(64), /got 64 bytes/],
    ["half a model", valid.subarray(0, valid.length >> 1), /premature EOF|cut off/],
    ["a graph of 2 GB that is not there", Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0x07), /got 6 bytes/],
    [
      "weights of 4 GB that are not there",
      Uint8Array.of(0x3a, 8, 0x2a, 6, 0x4a, 0xff, 0xff, 0xff, 0xff, 0x0f),
      /got 10 bytes/,
    ],
    ["a message without a graph", Uint8Array.of(0x08, 0x08), /expected a graph inside/],
    ["a graph without operator sets", Uint8Array.of(0x08, 0x08, 0x3a, 0x00), /cut off/],
    ["graphs in graphs in graphs", nestedGraphs(5000), /depth/],
  ])("%s", (_, bytes, message) => {
    expect(() => decodeModel(bytes)).toThrow(FormatError);
    expect(() => decodeModel(bytes)).toThrow(message);
  });

  test("four million empty nodes in 8 MB are refused before they are built", () => {
    const nodes = new Uint8Array(8_000_000).map((_, i) => (i % 2 === 0 ? 0x0a : 0));
    const head = [0x3a, ...varint(nodes.length)];
    const bytes = new Uint8Array(head.length + nodes.length);
    bytes.set(head);
    bytes.set(nodes, head.length);
    expect(() => decodeModel(bytes)).toThrow(
      "ONNX model: expected fewer than 4000000 messages, got more in 8000005 bytes.",
    );
  });

  test("any bytes and any damage to a model: it parses or throws FormatError", () => {
    const models = [...golden.map((path) => new Uint8Array(readFileSync(path))), valid];
    const damaged = fc
      .tuple(
        fc.constantFrom(...models),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }),
        fc.option(fc.nat(), { nil: undefined }),
      )
      .map(([model, changes, cut]) => {
        const bytes = model.slice(0, cut === undefined ? model.length : cut % model.length);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), damaged), (bytes) => {
        try {
          expect(decodeModel(bytes).graph).toBeDefined();
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

test("weights beyond 2 GB are refused before anything is written", () => {
  const model = exoticModel();
  const weight = new Uint8Array(2 ** 28);
  model.graph!.initializer = Array.from({ length: 8 }, () => create(TensorProtoSchema, { rawData: weight }));
  expect(() => encodeModel(model)).toThrow(/at most 2147483647 bytes in one file, got 2147483648/);
});

/** `If` inside `If` inside `If`…: each level is a graph in an attribute of a node. */
function nestedGraphs(levels: number): Uint8Array<ArrayBuffer> {
  let inner: number[] = [];
  for (let level = 0; level < levels; level++) {
    inner = [0x32, ...varint(inner.length), ...inner];
    inner = [0x2a, ...varint(inner.length), ...inner];
    inner = [0x0a, ...varint(inner.length), ...inner];
    if (inner.length > 30_000) break;
  }
  return Uint8Array.of(0x3a, ...varint(inner.length), ...inner);
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}
