import { expect, test } from "vitest";
import { GraphBuilder, int } from "../../graph/builder.ts";
import { float32 } from "../../tensor/tensor.ts";
import { findLayers } from "./find-layers.ts";

const weight = (b: GraphBuilder, name: string, ...dims: number[]): string => b.weight(name, float32(dims));

test("finds convolutions, normalisations and linear layers with their channels", () => {
  const b = new GraphBuilder();
  const image = b.input("x", "float32", ["N", 4, 6, 6]);
  const grouped = b.op("Conv", [image, weight(b, "grouped", 4, 1, 3, 3)], { group: int(4) });
  const up = b.op("ConvTranspose", [grouped, weight(b, "up", 4, 5, 2, 2), weight(b, "up.bias", 5)]);
  const parts = ["s", "b", "m", "v"].map((part) => weight(b, part, 5));
  const pooled = b.op("Flatten", [b.op("GlobalAveragePool", [b.op("BatchNormalization", [up, ...parts])])]);
  const turned = b.op("Transpose", [weight(b, "turned", 7, 5)]);
  const hidden = b.op("Add", [weight(b, "hidden.bias", 7), b.op("MatMul", [pooled, turned])]);
  b.output("y", b.op("Gemm", [hidden, weight(b, "head", 7, 3), weight(b, "head.bias", 1, 3)]), "float32", ["N", 3]);
  const layers = findLayers(b.build("net"), "y");
  const shown = layers.map(({ kind, scale, shift, incoming, axis, writesScores }) => [
    ...[kind, scale.value, scale.axis, scale.channels, shift?.value, incoming?.axis, axis, writesScores],
  ]);
  expect(shown).toEqual([
    ["weights", "grouped", 0, 4, undefined, undefined, "second", false],
    ["weights", "up", 1, 5, "up.bias", 0, "second", false],
    ["norm", "s", 0, 5, "b", undefined, "second", false],
    ["weights", "turned", 0, 7, "hidden.bias", 1, "last", false],
    ["weights", "head", 1, 3, "head.bias", 0, "last", true],
  ]);
  expect(layers[3]?.outputs).toEqual([hidden]);
});

test("a layer that is used twice is one; a bias that is not by channel, or weights that are computed, make none", () => {
  const b = new GraphBuilder();
  let x = b.input("x", "float32", ["N", 4]);
  const twice = [weight(b, "twice", 4, 4), weight(b, "twice.bias", 4)];
  for (let i = 0; i < 2; i++) x = b.op("Relu", [b.op("Gemm", [x, ...twice])]);
  x = b.op("Gemm", [x, weight(b, "odd", 4, 4), weight(b, "odd.bias", 1)]);
  x = b.op("MatMul", [x, b.op("Exp", [weight(b, "computed", 4, 4)])]);
  b.output("y", b.op("MatMul", [x, weight(b, "head", 4, 3)]), "float32", ["N", 3]);
  const layers = findLayers(b.build("net"), "y");
  expect(layers.map(({ scale, nodes, outputs }) => [scale.value, nodes.length, outputs.length])).toEqual([
    ["twice", 2, 2],
    ["head", 1, 1],
  ]);
  expect(layers[0]?.scale.places.length).toBe(2);
});

test("shapes lead to no layer that writes scores", () => {
  const b = new GraphBuilder();
  const first = b.op("Gemm", [b.input("x", "float32", ["N", 4]), weight(b, "first", 4, 4)]);
  const head = b.op("Gemm", [b.op("Relu", [first]), weight(b, "head", 4, 3)]);
  const rows = b.op("Shape", [first], { end: int(1) });
  const dims = b.op("Concat", [rows, b.ints(3)], { axis: int(0) });
  b.output("y", b.op("Reshape", [b.op("Softmax", [head]), dims]), "float32", ["N", 3]);
  const layers = findLayers(b.build("net"), "y");
  expect(layers.map(({ scale, writesScores }) => [scale.value, writesScores])).toEqual([
    ["first", false],
    ["head", true],
  ]);
});
