import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runModel, runOptimized } from "../../test/support/run-model.ts";
import { OptionError, UnsupportedOpError } from "../core/errors.ts";
import { float32, type Tensor } from "../tensor/tensor.ts";
import { float, GraphBuilder, int, ints } from "./builder.ts";
import { differentiate, gradientName } from "./differentiate.ts";
import type { Graph, ValueName } from "./ir.ts";
import { append } from "./rewrite/compose.ts";
import { specialise } from "./rewrite/specialise.ts";
import { graphToBytes } from "./to-model.ts";

/** A small net without kinks: convolution, norm, attention-like product, softmax; its loss is a scalar. */
function smoothNet(): Graph {
  const b = new GraphBuilder();
  const x = b.input("x", "float32", ["N", 2, 6, 6]);
  const w = b.weight("w", float32([4, 2, 3, 3], waves(72, 0.4)));
  const conv = b.op("Conv", [x, w, b.weight("bias", float32([4], waves(4, 0.1)))], { pads: ints(1, 1, 1, 1) });
  const norm = b.op(
    "InstanceNormalization",
    [conv, b.weight("scale", float32([4], waves(4, 1))), b.float(0, 0, 0, 0)],
    {
      epsilon: float(0.1),
    },
  );
  const gated = b.op("Mul", [norm, b.op("Sigmoid", [norm])]);
  const pooled = b.op("AveragePool", [gated], {
    kernel_shape: ints(3, 3),
    strides: ints(2, 2),
    pads: ints(1, 1, 1, 1),
  });
  const flat = b.op("Reshape", [pooled, b.ints(0, 4, -1)]);
  const weights = b.op("Softmax", [b.op("MatMul", [b.op("Transpose", [flat], { perm: ints(0, 2, 1) }), flat])]);
  const mixed = b.op("LayerNormalization", [b.op("MatMul", [flat, weights]), b.weight("g", float32([9], waves(9, 1)))]);
  b.output("loss", b.op("ReduceSum", [b.op("Tanh", [mixed])], { keepdims: int(0) }), "float32");
  return b.build("smooth");
}

function waves(count: number, scale: number, phase = 0): number[] {
  return Array.from({ length: count }, (_, i) => scale * Math.sin(1.3 * i + phase));
}

async function gradientGraph(model: Graph, wrt: readonly ValueName[]): Promise<Graph> {
  const { graph, facts } = await specialise(model, runModel, { batch: 2, keep: new Set(wrt) });
  return differentiate(graph, { seeds: { loss: 1 }, wrt }, facts);
}

const numbersOf = (t: Tensor | undefined): Float32Array => t?.data as Float32Array;
const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0);

describe("a gradient is a graph", () => {
  test("that can be differentiated again: a Hessian-vector product", async () => {
    const first = await gradientGraph(smoothNet(), ["x"]);
    const v = waves(144, 1, 0.5);
    const product = append(first, (b) => {
      const along = b.op("Mul", [gradientName("x"), b.constant(float32([2, 2, 6, 6], v))]);
      b.output("slope", b.op("ReduceSum", [along], { keepdims: int(0) }), "float32");
    });
    const { graph, facts } = await specialise({ ...product, outputs: product.outputs.slice(-1) }, runModel, {
      batch: 2,
    });
    const second = differentiate(graph, { seeds: { slope: 1 }, wrt: ["x"] }, facts);

    const x = waves(144, 0.8, 2);
    const feed = (values: readonly number[]) => ({ x: float32([2, 2, 6, 6], values) });
    const hessian = numbersOf((await runOptimized(graphToBytes(second), feed(x)))[gradientName("x")]);
    const gradientAt = async (step: number) => {
      const moved = feed(x.map((value, i) => value + step * v[i]!));
      return numbersOf((await runOptimized(graphToBytes(first), moved))[gradientName("x")]);
    };
    const [above, below] = [await gradientAt(0.01), await gradientAt(-0.01)];
    const expected = above.map((value, i) => (value - below[i]!) / 0.02);
    const largest = Math.max(...expected.map(Math.abs));
    expect(largest).toBeGreaterThan(0.01);
    expect(hessian).toBeAllclose(expected, { atol: 2e-3 * largest });
  });

  test("of weights and inputs at once", async () => {
    const graph = await gradientGraph(smoothNet(), ["x", "w", "bias", "scale", "g"]);
    expect(graph.outputs.map(({ name }) => name)).toEqual([
      "loss",
      ...["x", "w", "bias", "scale", "g"].map(gradientName),
    ]);
    const results = await runOptimized(graphToBytes(graph), { x: float32([2, 2, 6, 6], waves(144, 0.8, 2)) });
    expect(results[gradientName("w")]?.dims).toEqual([4, 2, 3, 3]);
    // Normalisation takes the mean away, and with it what the bias has added.
    expect(numbersOf(results[gradientName("bias")])).toBeAllclose([0, 0, 0, 0], { atol: 1e-5 });
  });

  test("that is pruned to what the outputs need", async () => {
    const graph = await gradientGraph(smoothNet(), ["g"]);
    expect(graph.nodes.filter(({ op }) => op === "Conv" || op === "ConvTranspose").length).toBe(1);
  });
});

describe("sums and zeros", () => {
  test("a value used three times gets the sum", async () => {
    const b = new GraphBuilder();
    const x = b.input("x", "float32", [3]);
    b.output("loss", b.op("ReduceSum", [b.op("Mul", [x, b.op("Add", [x, x])])], { keepdims: int(0) }), "float32");
    const results = await runOptimized(graphToBytes(await gradientGraph(b.build("net"), ["x"])), {
      x: float32([3], [1, -2, 3]),
    });
    expect(numbersOf(results[gradientName("x")])).toBeAllclose([4, -8, 12], { rtol: 1e-6 });
  });

  test("what the loss does not depend on gets zeros", async () => {
    const b = new GraphBuilder();
    const [x, y] = [b.input("x", "float32", [3]), b.input("y", "float32", [2])];
    b.output("loss", b.op("ReduceSum", [x], { keepdims: int(0) }), "float32");
    b.output("other", b.op("Neg", [y]), "float32");
    const feeds = { x: float32([3]), y: float32([2]) };
    const results = await runOptimized(graphToBytes(await gradientGraph(b.build("net"), ["x", "y"])), feeds);
    expect([...numbersOf(results[gradientName("x")])]).toEqual([1, 1, 1]);
    expect([...numbersOf(results[gradientName("y")])]).toEqual([0, 0]);
  });

  test("seeds of several values add up; an intermediate value has a gradient too", async () => {
    const b = new GraphBuilder();
    const x = b.input("x", "float32", [2]);
    const square = b.op("Mul", [x, x]);
    b.output("a", b.op("Exp", [square]), "float32");
    b.output("b", b.op("Neg", [square]), "float32");
    const { graph, facts } = await specialise(b.build("net"), runModel, { batch: 1 });
    const gradient = differentiate(graph, { seeds: { a: "da", b: 2 }, wrt: [square, "x"] }, facts);
    const feeds = { x: float32([2], [0.5, 1]), da: float32([2], [1, 3]) };
    const results = await runOptimized(graphToBytes(gradient), feeds);
    const expected = [Math.exp(0.25) - 2, 3 * Math.exp(1) - 2];
    expect(numbersOf(results[gradientName(square)])).toBeAllclose(expected, { rtol: 1e-6 });
    expect(numbersOf(results[gradientName("x")])).toBeAllclose([expected[0]!, 2 * expected[1]!], { rtol: 1e-6 });
  });

  test("the x of x * sigmoid(x) is not confused when sigmoid(x) is asked for itself", async () => {
    const b = new GraphBuilder();
    const x = b.input("x", "float32", [2]);
    const s = b.op("Sigmoid", [x]);
    b.output("loss", b.op("ReduceSum", [b.op("Mul", [x, s])], { keepdims: int(0) }), "float32");
    const results = await runOptimized(graphToBytes(await gradientGraph(b.build("net"), [s, "x"])), {
      x: float32([2], [0.5, -1]),
    });
    expect(numbersOf(results[gradientName(s)])).toBeAllclose([0.5, -1], { rtol: 1e-6 });
  });
});

describe("refuses in one sentence", () => {
  const facts = (model: Graph) => specialise(model, runModel, { batch: 2 });

  test("an operator without rule on the path, and ignores it beside the path", async () => {
    const b = new GraphBuilder();
    const x = b.input("x", "float32", [1, 1, 3]);
    const rnn = b.ops(
      "GRU",
      [x, b.weight("w", float32([1, 6, 3])), b.weight("r", float32([1, 6, 2]))],
      { hidden_size: int(2) },
      { outputs: 2 },
    );
    b.output("loss", b.op("ReduceSum", [rnn[0]!], { keepdims: int(0) }), "float32");
    b.output("free", b.op("ReduceSum", [x], { keepdims: int(0) }), "float32");
    const { graph, facts: known } = await facts(b.build("net"));
    expect(() => differentiate(graph, { seeds: { loss: 1 }, wrt: ["x"] }, known)).toThrow(
      new UnsupportedOpError(
        'differentiate: expected a gradient rule for each operator on the path, got none for GRU "GRU_1" of the domain "ai.onnx". Do export the model without it, at a lower opset, or before a tool optimises it for one runtime.',
      ),
    );
    expect(differentiate(graph, { seeds: { free: 1 }, wrt: ["x"] }, known).outputs.length).toBe(3);
  });

  test("an operator of scikit-learn's converters", async () => {
    const b = new GraphBuilder();
    b.useDomain("ai.onnx.ml", 1);
    const [unit = ""] = b.ops("Normalizer", [b.input("x", "float32", [2, 3])], {}, { domain: "ai.onnx.ml" });
    b.output("loss", b.op("ReduceSum", [unit], { keepdims: int(0) }), "float32");
    const { graph, facts: known } = await facts(b.build("net"));
    expect(() => differentiate(graph, { seeds: { loss: 1 }, wrt: ["x"] }, known)).toThrow(
      new UnsupportedOpError(
        'differentiate: expected a gradient rule for each operator on the path, got none for ai.onnx.ml.Normalizer "Normalizer_1" of the domain "ai.onnx.ml". Do train a network: operators of tables (scikit-learn) have no gradients.',
      ),
    );
  });

  test("a path that ends at an operator without gradient", async () => {
    const b = new GraphBuilder();
    const label = b.op("ArgMax", [b.op("Neg", [b.input("x", "float32", [2, 3])])], { axis: int(1) });
    b.output("loss", b.op("ReduceSum", [b.op("Cast", [label], { to: int(1) })], { keepdims: int(0) }), "float32");
    const { graph, facts: known } = await facts(b.build("net"));
    expect(() => differentiate(graph, { seeds: { loss: 1 }, wrt: ["x"] }, known)).toThrow(
      new OptionError(
        'differentiate: expected loss to depend on x, got no path; because no gradient passes ArgMax "ArgMax_2".',
      ),
    );
  });

  test("unknown names, integers, and graphs in an old form", async () => {
    const b = new GraphBuilder();
    const x = b.input("x", "float32", [2, 3]);
    b.input("i", "int64", [2]);
    b.output("y", b.op("Neg", [x]), "float32");
    b.output("j", b.op("Neg", ["i"]), "int64");
    const { graph, facts: known } = await facts(b.build("net"));
    const attempt =
      (wrt: string, from = graph) =>
      () =>
        differentiate(from, { seeds: { y: 1 }, wrt: [wrt] }, known);
    expect(attempt("z")).toThrow('expected a value of the graph, got "z"');
    expect(attempt("i")).toThrow('expected a value of floats, got "i" of type int64 and dims [2]');
    expect(attempt("x", { ...graph, opsets: { "": 9 } })).toThrow("expected opset 18 or newer, got 9");
  });

  test("a shape that is computed from what is differentiated by", async () => {
    const b = new GraphBuilder();
    const x = b.input("x", "float32", [2, 6]);
    const axes = b.op("Cast", [b.op("ReduceMax", [b.op("Mul", [x, b.float(0)])], { keepdims: int(0) })], {
      to: int(7),
    });
    const sum = b.op("ReduceSum", [x, b.op("Reshape", [axes, b.ints(1)])], { keepdims: int(1) });
    b.output("y", sum, "float32");
    const { graph, facts: known } = await facts(b.build("net"));
    expect(() => differentiate(graph, { seeds: { y: 1 }, wrt: ["x"] }, known)).toThrow(
      /expected constant integers as input 1, got computed ones at ReduceSum "ReduceSum_\d+"/,
    );
  });
});

/** Operators of one and of two inputs that keep [2, 3, 4] and have no kinks near the values used. */
const one = ["Tanh", "Sigmoid", "Sin", "Softplus", "Erf", "Neg", "Softmax", "Identity"];
const two = ["Add", "Mul", "Sub"];

test("random small graphs agree with finite differences", async () => {
  const step = fc.record({ op: fc.nat(one.length + two.length - 1), a: fc.nat(), b: fc.nat() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const b = new GraphBuilder();
      const values = [b.input("x", "float32", [2, 3, 4]), b.weight("w", float32([3, 1], [0.3, -0.8, 1.1]))];
      values[1] = b.op("Add", [values[0]!, values[1]!]);
      for (const { op, a, b: c } of steps) {
        const [left, right] = [values[a % values.length]!, values[c % values.length]!];
        values.push(op < one.length ? b.op(one[op]!, [left]) : b.op(two[op - one.length]!, [left, right]));
      }
      const squashed = b.op("Tanh", [values.at(-1)!]);
      b.output("loss", b.op("ReduceSum", [squashed], { keepdims: int(0) }), "float32");
      b.output("all", squashed, "float32");
      const model = b.build("random");
      const gradient = await gradientGraph(model, ["x"]);
      const x = waves(24, 0.7, 1);
      const feed = (values: readonly number[]) => ({ x: float32([2, 3, 4], values) });
      const found = numbersOf((await runOptimized(graphToBytes(gradient), feed(x)))[gradientName("x")]);
      const direction = waves(24, 1, 4);
      const lossAt = async (h: number) => {
        const moved = x.map((value, i) => value + h * direction[i]!);
        return dot(numbersOf((await runModel(graphToBytes(model), feed(moved)))["all"]), Array(24).fill(1));
      };
      const difference = ((await lossAt(0.005)) - (await lossAt(-0.005))) / 0.01;
      const norm = Math.sqrt(dot(found, found));
      expect(Math.abs(dot(found, direction) - difference)).toBeLessThan(5e-3 * norm + 1e-3);
    }),
    { numRuns: 40, seed: 7 },
  );
});
