import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTinyStep, tinyBatches, tinyNet } from "../../test/support/tiny-training.ts";
import { OptionError, UnsupportedOpError } from "../core/errors.ts";
import { GraphBuilder } from "../graph/builder.ts";
import type { Graph } from "../graph/ir.ts";
import { createNodeRuntime } from "../runtime/node.ts";
import type { Feeds, Runtime } from "../runtime/runtime.ts";
import { float32 } from "../tensor/tensor.ts";
import { crossEntropyLoss, squaredLoss } from "./losses.ts";
import { sgd } from "./optimisers.ts";
import { freshState } from "./state.ts";
import { openStep, type StepResult, type TrainingStep } from "./step.ts";
import { trainableOf } from "./trainable.ts";

let runtime: Runtime;
let step: TrainingStep;
let feeds: Feeds;
beforeAll(async () => {
  runtime = await createNodeRuntime({ threads: 1 });
  step = await openTinyStep();
  feeds = await tinyBatches(0, freshState(step, sgd(), false));
});
afterAll(() => step.dispose());

interface Answer extends StepResult {
  readonly gradient: Float32Array;
  readonly statistics: Float32Array;
}

async function run(from: TrainingStep, weights: Float32Array, fed: Feeds): Promise<Answer> {
  const { statistics } = from.initial();
  const into = { gradient: new Float32Array(from.weights.size), statistics: statistics.slice() };
  return { ...(await from.run({ weights, statistics }, fed, into)), ...into };
}

describe("a step", () => {
  test("tells the loss, the network's outputs, and a gradient along which the loss falls as it says", async () => {
    const { weights } = step.initial();
    const { loss, outputs, gradient } = await run(step, weights, feeds);
    expect(Object.keys(outputs)).toEqual(["logits"]);
    expect(outputs["logits"]?.dims).toEqual([8, 3]);
    const h = 1e-3;
    const slope = gradient.reduce((sum, g) => sum + g * g, 0);
    const moved = (sign: number): Float32Array =>
      weights.map((w, i) => w + (sign * h * gradient[i]!) / Math.sqrt(slope));
    const [ahead, behind] = [await run(step, moved(1), feeds), await run(step, moved(-1), feeds)];
    expect(loss).toBeGreaterThan(behind.loss);
    expect((ahead.loss - behind.loss) / (2 * h)).toBeCloseTo(Math.sqrt(slope), 3);
  });

  test("is a function: the same twice, and nothing that it was given changes", async () => {
    const { weights } = step.initial();
    const first = await run(step, weights, feeds);
    expect(await run(step, weights, feeds)).toEqual(first);
    expect(weights).toEqual(step.initial().weights);
  });

  test("keeps running variances as PyTorch does: of the data, not of the batch", async () => {
    const { statistics: stored } = step.initial();
    const { statistics } = await run(step, step.initial().weights, feeds);
    const slots = Object.fromEntries(step.statistics.slots.map((slot) => [slot.name, slot]));
    const graph = trainableOf(tinyNet()).graph;
    const kernel = graph.initializers.get("conv")!.data as Float32Array;
    const x = feeds["x"]!.data as Float32Array;
    for (const channel of [0, 1, 2, 3]) {
      const values: number[] = [];
      for (let row = 0; row < 8; row++) {
        for (let at = 0; at < 16; at++) {
          let sum = 0;
          for (let tap = 0; tap < 9; tap++) {
            const [i, j] = [Math.floor(at / 4) + Math.floor(tap / 3), (at % 4) + (tap % 3)];
            sum += kernel[channel * 9 + tap]! * x[row * 36 + 6 * i + j]!;
          }
          values.push(sum);
        }
      }
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
      const [meanAt, varianceAt] = [slots["mean"]!.from + channel, slots["variance"]!.from + channel];
      expect(statistics[meanAt]).toBeCloseTo(0.9 * stored[meanAt]! + 0.1 * mean, 6);
      expect(statistics[varianceAt]).toBeCloseTo(0.9 * stored[varianceAt]! + 0.1 * variance, 6);
    }
  });

  test("gives weights that the loss does not reach a gradient of zero", async () => {
    const b = new GraphBuilder();
    const x = b.input("x", "float32", ["N", 3]);
    b.output("y", b.op("Mul", [x, b.weight("used", float32([3], [1, 2, 3]))]), "float32", ["N", 3]);
    b.output("z", b.op("Mul", [x, b.weight("idle", float32([3], [1, 2, 3]))]), "float32", ["N", 3]);
    const lone = await openStep(trainableOf(b.build("two")), { runtime, batch: 1, loss: squaredLoss("y", "wanted") });
    const { outputs, gradient, loss } = await run(lone, lone.initial().weights, {
      x: float32([1, 3], [1, 1, 1]),
      wanted: float32([1, 3], [0, 0, 0]),
    });
    expect(loss).toBeCloseTo((1 + 4 + 9) / 3, 5);
    expect(
      Object.fromEntries(lone.weights.slots.map(({ name, from, to }) => [name, [...gradient.slice(from, to)]])),
    ).toEqual({
      used: [2 / 3, 4 / 3, 2].map(Math.fround),
      idle: [0, 0, 0],
    });
    expect(Object.keys(outputs).sort()).toEqual(["y", "z"]);
    await lone.dispose();
    await lone.dispose();
  });
});

describe("refusals", () => {
  function graphWith(write: (b: GraphBuilder, x: string) => string, rows: number | string = "N"): Graph {
    const b = new GraphBuilder();
    b.output(
      "y",
      write(b, b.op("Mul", [b.input("x", "float32", [rows, 3]), b.weight("w", float32([3], [1, 2, 3]))])),
      "float32",
    );
    return b.build("refused");
  }

  test("a network of a fixed batch", async () => {
    const opening = openStep(trainableOf(tinyNet(2)), { runtime, batch: 8, loss: crossEntropyLoss("logits") });
    await expect(opening).rejects.toThrow(
      "training: expected a network that takes 8 images at a time, got one that takes 2. Do train with batches of 2, or export it with a dynamic batch.",
    );
    await expect(opening).rejects.toThrow(OptionError);
  });

  test("but it trains at its own", async () => {
    const own = await openStep(trainableOf(tinyNet(2)), { runtime, batch: 2, loss: crossEntropyLoss("logits") });
    expect(own.weights.size).toBe(step.weights.size);
    await own.dispose();
  });

  test.each<[string, Graph, string | RegExp]>([
    [
      "an operator without a gradient",
      graphWith((b, x) => {
        const rows = b.op("Concat", [x, x, x], { axis: { kind: "int", value: 1 } });
        return b.op("Det", [b.op("Reshape", [rows, b.ints(-1, 3, 3)])]);
      }),
      /^differentiate: expected a gradient rule for each operator on the path, got none for Det "\w+" of the domain "ai.onnx"\. Do export/,
    ],
    [
      "dims that depend on values",
      graphWith((b, x) => b.op("GatherND", [x, b.op("Transpose", [b.op("NonZero", [x])])])),
      /^[\s\S]*expected[\s\S]*, got[\s\S]*\.$/,
    ],
  ])("%s", async (_case, graph, sentence) => {
    const opening = openStep(trainableOf(graph), { runtime, batch: 4, loss: squaredLoss("y", "wanted") });
    await expect(opening).rejects.toThrow(sentence);
    await expect(opening).rejects.toThrow(UnsupportedOpError);
  });

  test("a loss that the network has already", async () => {
    const b = new GraphBuilder();
    const scaled = b.op("Mul", [b.input("x", "float32", ["N", 3]), b.weight("w", float32([3], [1, 2, 3]))]);
    b.output("loss", scaled, "float32");
    const opening = openStep(trainableOf(b.build("own")), { runtime, batch: 2, loss: squaredLoss("loss", "wanted") });
    await expect(opening).rejects.toThrow('training: expected a network without a value "loss", got one.');
  });

  test("an output that is not there", async () => {
    const opening = openStep(trainableOf(tinyNet()), { runtime, batch: 2, loss: squaredLoss("out", "wanted") });
    await expect(opening).rejects.toThrow('training: expected an output "out", got logits.');
  });

  test("feeds of other dims, or none", async () => {
    const { weights } = step.initial();
    await expect(run(step, weights, { ...feeds, x: float32([7, 1, 6, 6]) })).rejects.toThrow(
      /^input "x": expected float32 \[8/,
    );
    await expect(run(step, weights, {})).rejects.toThrow(/^input ".+": expected float32 \[.+\], got none/);
  });
});
