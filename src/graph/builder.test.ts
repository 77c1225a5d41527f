import { describe, expect, test } from "vitest";
import { FormatError } from "../core/errors.ts";
import { float32, int64, type Tensor } from "../tensor/tensor.ts";
import { float, GraphBuilder, int, ints, parameterCount, string } from "./builder.ts";
import type { Attribute } from "./ir.ts";

function start(): { b: GraphBuilder; x: string } {
  const b = new GraphBuilder();
  return { b, x: b.input("x", "float32", ["N", 4]) };
}

describe("sharing", () => {
  test("equal constants are one initializer; other types, dims or bytes are others", () => {
    const { b } = start();
    const first = b.constant(float32([2], [1, 2]));
    expect(b.constant(float32([2], [1, 2]))).toBe(first);
    const others = [
      float32([2, 1], [1, 2]),
      float32([2], [1, 3]),
      int64([1], [1]),
      float32([1], [0]),
      float32([1], [-0]),
    ];
    expect(new Set([first, ...others.map((value) => b.constant(value))]).size).toBe(6);
    expect(b.ints(1, 2)).toBe(b.ints(1, 2));
    expect(b.float(1)).not.toBe(b.constant(float32([1], [1])));
  });

  test("constants that differ where the fingerprint does not look are told apart", () => {
    const { b } = start();
    const big = new Float32Array(1e6).fill(1);
    const other = big.slice();
    other[123_457] = 2;
    const name = b.constant(float32([1e6], big));
    expect(b.constant(float32([1e6], big.slice()))).toBe(name);
    expect(b.constant(float32([1e6], other))).not.toBe(name);
  });

  test("big constants cost no hashing: 200 MB in far less than hashing takes", () => {
    const { b } = start();
    const begin = performance.now();
    b.constant(float32([25_000_000]));
    b.constant(float32([25_000_000], new Float32Array(25_000_000).fill(1)));
    expect(performance.now() - begin).toBeLessThan(2000);
  });

  test("the same operator on the same inputs with the same attributes is one node", () => {
    const { b, x } = start();
    const attributes = (): Record<string, Attribute> => ({
      axis: int(1),
      alpha: float(0.5),
      mode: string("m"),
      p: ints(1),
    });
    const { axis, alpha, mode, p } = attributes();
    expect(b.op("F", [x], attributes())).toBe(b.op("F", [x], { p: p!, mode: mode!, alpha: alpha!, axis: axis! }));
    expect(b.op("F", [x], attributes())).not.toBe(b.op("G", [x], attributes()));
    expect(b.ops("Split", [x], {}, { outputs: 2 })).toEqual(b.ops("Split", [x], {}, { outputs: 2 }));
  });

  test.each<[string, Attribute, Attribute]>([
    ["an int and a float", int(1), float(1)],
    ["zero and minus zero", float(0), float(-0)],
    ["NaN and infinity", float(Number.NaN), float(Number.POSITIVE_INFINITY)],
    ["a list and its first", ints(1), int(1)],
    ["floats that JSON lacks", { kind: "floats", value: [Number.NaN] }, { kind: "floats", value: [-0] }],
    ["tensors", { kind: "tensor", value: int64([1], [1]) }, { kind: "tensor", value: int64([1], [2]) }],
    ["bytes", { kind: "opaque", value: Uint8Array.of(0x0a, 0) }, { kind: "opaque", value: Uint8Array.of(0x12, 0) }],
  ])("attributes are told apart: %s", (_, one, other) => {
    const { b, x } = start();
    const first = b.op("F", [x], { a: one });
    expect(b.op("F", [x], { a: one })).toBe(first);
    expect(b.op("F", [x], { a: other })).not.toBe(first);
  });

  test("equal tensor attributes in other memory are one", () => {
    const { b } = start();
    const value = (): Record<string, Attribute> => ({ value: { kind: "tensor", value: int64([2], [1, 2]) as Tensor } });
    expect(b.op("Constant", [], value())).toBe(b.op("Constant", [], value()));
  });
});

describe("building", () => {
  test("what no output needs is left out", () => {
    const { b, x } = start();
    b.op("Relu", [b.op("Add", [x, b.weight("unused", float32([4]))])]);
    b.output("y", b.op("Mul", [x, b.weight("used", float32([4]))]), "float32", ["N", 4]);
    const graph = b.build("g");
    expect(graph.nodes.map(({ op }) => op)).toEqual(["Mul", "Identity"]);
    expect([...graph.initializers.keys()]).toEqual(["used"]);
    expect(graph.inputs).toEqual([{ name: "x", dtype: "float32", dims: ["N", 4] }]);
    expect(graph.outputs).toEqual([{ name: "y", dtype: "float32", dims: ["N", 4] }]);
    expect(parameterCount(graph)).toBe(4);
  });

  test("made-up names avoid those of weights", () => {
    const { b, x } = start();
    b.weight("Relu_1", float32([4]));
    expect(b.op("Relu", [x])).toBe("Relu_2");
  });

  test.each<[string, (b: GraphBuilder, x: string) => void, string]>([
    ["a value that nothing defines", (b, x) => b.op("Add", [x, "z"]), 'expected a value "z" before Add uses it'],
    [
      "an output of nothing",
      (b) => b.output("y", "z", "float32"),
      'expected a value "z" before the output "y" uses it',
    ],
    ["an output name twice", (b, x) => [1, 2].map(() => b.output("y", x, "float32")), 'got "y" a second time'],
    ["an output named as an input", (b, x) => b.output("x", x, "float32"), 'got "x" a second time'],
    ["a weight twice", (b) => [1, 2].map(() => b.weight("w", float32([1]))), 'got "w" a second time'],
    ["an input twice", (b) => b.input("x", "float32", []), 'got "x" a second time'],
    [
      "a domain without a version",
      (b, x) => {
        b.output("y", b.ops("Foo", [x], {}, { domain: "my.domain" })[0]!, "float32");
        b.build("g");
      },
      'graph "g": expected a version of the domain "my.domain", got none for Foo "Foo_1".',
    ],
  ])("refuses %s", (_, write, message) => {
    const { b, x } = start();
    const attempt = (): void => write(b, x);
    expect(attempt).toThrow(message);
  });

  test("errors are FormatErrors", () => {
    expect(() => start().b.op("Add", ["z"])).toThrow(FormatError);
  });
});
