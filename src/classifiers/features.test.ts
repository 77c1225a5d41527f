import { describe, expect, it } from "vitest";
import { tinyNet } from "../../test/support/tiny-training.ts";
import { GraphBuilder, int } from "../graph/builder.ts";
import { graphToBytes } from "../graph/to-model.ts";
import { createNodeRuntime } from "../runtime/node.ts";
import { rowsOf } from "../tensor/rows.ts";
import { float32 } from "../tensor/tensor.ts";
import { openDifferentiableClassifier } from "./differentiable.ts";
import { openFeatureClassifier, requireFeatures } from "./features.ts";
import { lastLinearLayer } from "./last-layer.ts";

const runtime = createNodeRuntime({ threads: 1 });
const files = {
  model: graphToBytes(tinyNet()),
  config: undefined,
  preprocessor: { image_mean: [0.25], image_std: [0.5] },
};
const images = float32(
  [3, 1, 6, 6],
  Float32Array.from({ length: 108 }, (_, i) => (1 + Math.sin(i * i)) / 2),
);

describe("lastLinearLayer", () => {
  it("finds what the head reads, with weights [K, D]", () => {
    const layer = lastLinearLayer(tinyNet(), "logits")!;
    const stored = tinyNet().initializers.get("head")!;
    expect(layer.names).toEqual(["head", "bias"]);
    expect(layer.weights.dims).toEqual([3, 4]);
    expect(layer.weights.data[1 * 4 + 2]).toBe(stored.data[2 * 3 + 1]);
  });

  it.each([
    { transposed: 1, expected: [1, 2, 3, 4, 5, 6] },
    { transposed: 0, expected: [1, 3, 5, 2, 4, 6] },
  ])("reads a Gemm with transB $transposed, behind a softmax", ({ transposed, expected }) => {
    const b = new GraphBuilder();
    const dims = transposed === 1 ? [2, 3] : [3, 2];
    const x = b.input("x", "float32", ["N", 3]);
    const w = b.weight("w", float32(dims, [1, 2, 3, 4, 5, 6]));
    b.output("p", b.op("Softmax", [b.op("Gemm", [x, w], { transB: int(transposed) })]), "float32");
    const layer = lastLinearLayer(b.build("head"), "p")!;
    expect([layer.features, [...layer.weights.data]]).toEqual(["x", expected]);
  });

  it("takes a MatMul with its bias, and nothing that is not linear", () => {
    const b = new GraphBuilder();
    const x = b.input("x", "float32", ["N", 3]);
    const product = b.op("MatMul", [x, b.weight("w", float32([3, 2], [1, 2, 3, 4, 5, 6]))]);
    b.output("y", b.op("Add", [b.weight("bias", float32([2])), product]), "float32");
    b.output("z", b.op("Relu", [product]), "float32");
    const graph = b.build("head");
    expect(lastLinearLayer(graph, "y")).toMatchObject({ features: "x", names: ["w", "bias"] });
    expect(lastLinearLayer(graph, "z")).toBeUndefined();
  });
});

describe("openFeatureClassifier", () => {
  it("tells features, distances and their gradient, as finite differences have it; rows alone and together", async () => {
    const classifier = requireFeatures("test", await openFeatureClassifier(files, await runtime));
    const wanted = float32([3, 4], [1, 0, 2, 0, 0, 0, 0, 0, 0.5, 1, 1, 0]);
    const weights = float32([3, 4], [1, 1, 0.5, 0, 1, 1, 1, 1, 0, 2, 1, 0]);
    const { features, losses, gradient } = await classifier.featureGradient(images, wanted, { weights });
    const { scores } = await classifier.classify(images);
    expect(features.dims).toEqual([3, 4]);
    for (let row = 0; row < 3; row++) {
      const own = [...features.data.subarray(row * 4, row * 4 + 4)];
      const far = own.map((value, d) => weights.data[row * 4 + d]! * (value - wanted.data[row * 4 + d]!) ** 2);
      expect(losses.data[row]).toBeCloseTo(
        far.reduce((a, b) => a + b),
        4,
      );
      const first = own.reduce((sum, value, d) => sum + value * classifier.lastLayer.data[d]!, 0);
      expect(scores.data[row * 3]).toBeCloseTo(first, 4);
    }
    const at = 36 + 14;
    const step = 1e-2;
    const moved = async (by: number) => {
      const x = float32(images.dims, images.data.slice());
      x.data[at]! += by;
      return (await classifier.featureGradient(x, wanted, { weights })).losses.data[1]!;
    };
    expect(((await moved(step)) - (await moved(-step))) / (2 * step)).toBeCloseTo(gradient.data[at]!, 2);
    const alone = await classifier.featureGradient(rowsOf(images, 1, 2), rowsOf(wanted, 1, 2), {
      weights: rowsOf(weights, 1, 2),
    });
    expect([...alone.gradient.data]).toBeAllclose([...gradient.data.subarray(36, 72)], { atol: 1e-6 });
    const few = float32([3, 3]);
    await expect(classifier.featureGradient(images, few, { weights })).rejects.toThrow(/expected features .* \[3, 4\]/);
    await classifier.dispose();
  });

  it("is refused in a sentence where there are no features", async () => {
    const classifier = await openDifferentiableClassifier(files, await runtime);
    expect(() => requireFeatures("trojannn", classifier)).toThrow(/^trojannn: expected a classifier whose last layer/);
    await classifier.dispose();
  });
});
