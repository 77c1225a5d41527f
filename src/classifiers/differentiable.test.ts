import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { OptionError, RuntimeFailure, ShapeError, UnsupportedOpError } from "../core/errors.ts";
import { GraphBuilder, int } from "../graph/builder.ts";
import { graphToBytes } from "../graph/to-model.ts";
import { createNodeRuntime } from "../runtime/node.ts";
import { rowsOf } from "../tensor/rows.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import { type DifferentiableFlags, openDifferentiableClassifier } from "./differentiable.ts";
import { gradient } from "./gradient.ts";
import type { OnnxClassifierFiles } from "./onnx.ts";

const runtime = await createNodeRuntime({ threads: 1 });
const folder = "models/fashion-mnist-badnets";
const shipped: OnnxClassifierFiles = {
  model: readFileSync(`${folder}/model.onnx`),
  preprocessor: JSON.parse(readFileSync(`${folder}/preprocessor_config.json`, "utf8")),
};

function pictures(n: number, [c, h, w]: readonly [number, number, number] = [1, 28, 28]): Float32Tensor {
  const size = c * h * w;
  const data = Float32Array.from({ length: n * size }, (_, i) => 0.5 + 0.4 * Math.sin(0.37 * i + i / size));
  return float32([n, c, h, w], data);
}

const opened: { dispose(): Promise<void> }[] = [];
afterAll(async () => {
  for (const resource of opened) await resource.dispose();
});
async function open(files: OnnxClassifierFiles, flags: DifferentiableFlags = {}) {
  const classifier = await openDifferentiableClassifier(files, runtime, { threads: 1, ...flags });
  opened.push(classifier);
  return classifier;
}

/** A net of two dense layers over pixels; its answer goes through `last`. */
function smallModel(last: (b: GraphBuilder, logits: string) => string, dims: (number | string)[] = ["N", 4, 4, 3]) {
  const b = new GraphBuilder();
  const x = b.input("x", "float32", dims);
  const flat = b.op("Flatten", [x]);
  const weights = Array.from({ length: 48 * 5 }, (_, i) => Math.sin(1.1 * i));
  const hidden = b.op("Tanh", [b.op("Gemm", [flat, b.weight("w", float32([48, 5], weights))])]);
  b.output("y", last(b, hidden), "float32");
  return graphToBytes(b.build("small"));
}
const logits = smallModel((_, value) => value);

describe("the shipped classifier", () => {
  test("has the gradient that central differences show", async () => {
    const classifier = await open(shipped);
    const images = pictures(3);
    const { gradient: slopes, losses } = await classifier.lossGradient(images, [0, 4, 9]);
    expect(slopes.dims).toEqual([3, 1, 28, 28]);
    const direction = Float32Array.from({ length: 784 }, (_, i) => Math.sin(2.1 * i));
    const step = 1e-3;
    const moved = async (sign: number) => {
      const data = images.data.map((value, i) => value + sign * step * direction[i % 784]!);
      return (await classifier.lossGradient(float32(images.dims, data), [0, 4, 9])).losses.data;
    };
    const [above, below] = [await moved(1), await moved(-1)];
    for (const row of [0, 1, 2]) {
      const own = rowsOf(slopes, row, row + 1).data;
      const norm = Math.hypot(...own);
      const found = own.reduce((sum, value, i) => sum + value * direction[i]!, 0);
      expect(norm).toBeGreaterThan(0.01);
      expect(Math.abs(found - (above[row]! - below[row]!) / (2 * step))).toBeLessThan(
        0.02 * norm * Math.hypot(...direction),
      );
    }
    expect(losses.dims).toEqual([3]);
  });

  test("answers each image as if it were alone, in chunks and with padding", async () => {
    const classifier = await open(shipped);
    const images = pictures(70);
    const targets = Array.from({ length: 70 }, (_, i) => i % 10);
    const all = await classifier.lossGradient(images, targets);
    const one = await classifier.lossGradient(rowsOf(images, 69, 70), [9]);
    expect(all.gradient.dims).toEqual([70, 1, 28, 28]);
    expect(rowsOf(all.gradient, 69, 70).data).toBeAllclose(one.gradient.data, { atol: 1e-6 });
    expect(rowsOf(all.scores, 69, 70).data).toBeAllclose(one.scores.data, { atol: 1e-5 });
    expect((await classifier.classify(images)).scores.data).toBeAllclose(all.scores.data, { atol: 1e-5 });
  });

  test("takes shares of classes as targets", async () => {
    const classifier = await open(shipped);
    const images = pictures(2);
    const rows = float32([2, 10]);
    rows.data[3] = 1;
    rows.data[17] = 1;
    const [soft, hard] = [await classifier.lossGradient(images, rows), await classifier.lossGradient(images, [3, 7])];
    expect(soft).toEqual(hard);
  });
});

describe("preprocessing, layouts and losses", () => {
  test("channels last, mean and deviation are inside the gradient", async () => {
    const classifier = await open({ model: logits }, { mean: [0.4, 0.5, 0.6], std: [0.2, 0.25, 0.5], layout: "NHWC" });
    const images = pictures(2, [3, 4, 4]);
    const { gradient: slopes, losses } = await classifier.lossGradient(images, [1, 2]);
    const step = 2e-3;
    for (const pixel of [0, 17, 47, 95]) {
      const at = async (sign: number) => {
        const data = images.data.slice();
        data[pixel]! += sign * step;
        const { losses: moved } = await classifier.lossGradient(float32(images.dims, data), [1, 2]);
        return moved.data[0]! + moved.data[1]!;
      };
      expect(slopes.data[pixel]).toBeCloseTo(((await at(1)) - (await at(-1))) / (2 * step), 2);
    }
    expect([...losses.data].every((loss) => loss > 0)).toBe(true);
  });

  test("probabilities cost what their logits cost", async () => {
    const flags = { mean: 0, std: 1, layout: "NHWC" } as const;
    const soft = await open({ model: smallModel((b, x) => b.op("Softmax", [x], { axis: int(1) })) }, flags);
    const plain = await open({ model: logits }, { ...flags, scores: "logits" });
    const [a, b] = [
      await soft.lossGradient(pictures(2, [3, 4, 4]), [0, 4]),
      await plain.lossGradient(pictures(2, [3, 4, 4]), [0, 4]),
    ];
    expect(a.losses.data).toBeAllclose(b.losses.data, { atol: 1e-5 });
    expect(a.gradient.data).toBeAllclose(b.gradient.data, { atol: 1e-5 });
  });

  test("margin: how far the best other class is ahead", async () => {
    const classifier = await open({ model: logits }, { mean: 0, std: 1, layout: "NHWC", loss: "margin" });
    const { losses, scores } = await classifier.lossGradient(pictures(1, [3, 4, 4]), [2]);
    const others = [0, 1, 3, 4].map((k) => scores.data[k]!);
    expect(losses.data[0]).toBeCloseTo(Math.max(...others) - scores.data[2]!, 5);
  });

  test("a loss of one's own, and a model of a fixed batch", async () => {
    const model = smallModel((_, x) => x, [2, 4, 4, 3]);
    const loss = (b: GraphBuilder, { scores }: { scores: string }) =>
      b.op("ReduceSum", [scores, b.ints(1)], { keepdims: int(0) });
    const classifier = await open({ model }, { mean: 0, std: 1, layout: "NHWC", loss });
    const { losses, scores, gradient: slopes } = await classifier.lossGradient(pictures(3, [3, 4, 4]), [0, 0, 0]);
    expect(slopes.dims).toEqual([3, 3, 4, 4]);
    const sums = [0, 1, 2].map((row) => rowsOf(scores, row, row + 1).data.reduce((sum, value) => sum + value));
    expect(losses.data).toBeAllclose(sums, { atol: 1e-5 });
  });
});

describe("refuses in one sentence", () => {
  const flags = { mean: 0, std: 1, layout: "NHWC", threads: 1 } as const;

  test("targets that do not fit", async () => {
    const classifier = await open({ model: logits }, flags);
    const images = pictures(2, [3, 4, 4]);
    await expect(classifier.lossGradient(images, [0])).rejects.toThrow(
      new ShapeError("classifier: expected 2 targets, got 1."),
    );
    await expect(classifier.lossGradient(images, [0, 5])).rejects.toThrow(
      new OptionError("classifier: expected targets from 0 to 4, got 5 for image 1."),
    );
    await expect(classifier.lossGradient(images, float32([2, 4]))).rejects.toThrow(
      "expected targets [2, 5], got [2, 4]",
    );
    await expect(classifier.lossGradient(float32([0, 3, 4, 4]), [])).rejects.toThrow("expected at least one image");
  });

  test("a model whose answer has no gradient", async () => {
    const labels = await open(
      {
        model: smallModel((b, x) => b.op("Cast", [b.op("ArgMax", [x], { axis: int(1) })], { to: int(1) })),
        config: { num_labels: 5 },
      },
      { ...flags, scores: "labels" },
    );
    await expect(labels.lossGradient(pictures(1, [3, 4, 4]), [0])).rejects.toThrow("got labels");
    const stuck = await open(
      { model: smallModel((b, x) => b.op("Round", [b.op("Mul", [x, b.float(9)])])) },
      { ...flags, scores: "logits" },
    );
    await expect(stuck.lossGradient(pictures(1, [3, 4, 4]), [0])).rejects.toThrow(
      /no gradient passes Round "Round_\d+"/,
    );
  });

  test("an operator without rule", async () => {
    const model = smallModel((b, x) =>
      b.op("Det", [b.op("Reshape", [b.op("Gemm", [x, b.weight("d", float32([5, 20]))]), b.ints(-1, 5, 2, 2)])]),
    );
    const classifier = await open({ model }, flags);
    await expect(classifier.lossGradient(pictures(1, [3, 4, 4]), [0])).rejects.toThrow(UnsupportedOpError);
    await expect(classifier.lossGradient(pictures(1, [3, 4, 4]), [0])).rejects.toThrow(/got none for Det "Det_\d+"/);
  });

  test("gradients that are not finite", async () => {
    const model = smallModel((b, x) => b.op("Sqrt", [b.op("Relu", [x])]));
    const classifier = await open({ model }, { ...flags, scores: "logits" });
    await expect(classifier.lossGradient(float32([1, 3, 4, 4]), [0])).rejects.toThrow(RuntimeFailure);
  });

  test("bytes", async () => {
    const b = new GraphBuilder();
    const x = b.op("Cast", [b.input("x", "uint8", ["N", 3, 4, 4])], { to: int(1) });
    b.output("y", b.op("ReduceMean", [x, b.ints(2, 3)], { keepdims: int(0) }), "float32");
    await expect(open({ model: graphToBytes(b.build("bytes")) })).rejects.toThrow('got "x" of type uint8');
  });
});

describe("gradient", () => {
  test("opens a session with a loss of one's own, by inputs and weights", async () => {
    const session = await gradient(logits, {
      runtime,
      batch: 2,
      threads: 1,
      wrt: ["x", "w"],
      loss: (b, { y }) =>
        b.op("ReduceSum", [b.op("Mul", ["y", b.input("cotangent", "float32", y?.dims)])], { keepdims: int(0) }),
    });
    opened.push(session);
    expect(session.inputs.map(({ name, dims }) => [name, dims])).toEqual([
      ["x", [2, 4, 4, 3]],
      ["cotangent", [2, 5]],
    ]);
    expect(session.outputs.map(({ name }) => name)).toEqual(["y", "loss", "grad.x", "grad.w"]);
    const x = float32([2, 4, 4, 3], pictures(2, [3, 4, 4]).data);
    const results = await session.run({ x, cotangent: float32([2, 5], [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]) });
    expect(results["grad.w"]?.dims).toEqual([48, 5]);
    const rest = Array.from(results["grad.x"]!.data as Float32Array).slice(48);
    expect(rest.every((value) => value === 0)).toBe(true);
  });

  test("refuses a name that the model lacks", async () => {
    const settings = { runtime, batch: 1, wrt: ["z"], loss: (b: GraphBuilder) => b.op("ReduceSum", ["y"]) };
    await expect(gradient(logits, settings)).rejects.toThrow('expected a value of the graph, got "z"');
  });
});
