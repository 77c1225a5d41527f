import { readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { linearWithGradient } from "../../test/support/attack-context.ts";
import { linearClassifier } from "../../test/support/gaussian-prior.ts";
import { modelFiles } from "../../test/support/model-files.ts";
import { OptionError } from "../core/errors.ts";
import { openPrior } from "../diffusion/open-prior.ts";
import { GraphBuilder, int } from "../graph/builder.ts";
import type { Graph } from "../graph/ir.ts";
import { graphToBytes } from "../graph/to-model.ts";
import { createNodeRuntime } from "../runtime/node.ts";
import { rowsOf } from "../tensor/rows.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import { openWhiteBox, requireGradients, requireWhiteBox } from "./white-box.ts";

const runtime = await createNodeRuntime({ threads: 1 });
const opened: { dispose(): Promise<void> }[] = [];
afterAll(async () => {
  for (const resource of opened) await resource.dispose();
});
function kept<T extends { dispose(): Promise<void> }>(resource: T): T {
  opened.push(resource);
  return resource;
}

const folder = "models/fashion-mnist-badnets";
const shipped = {
  model: readFileSync(`${folder}/model.onnx`),
  preprocessor: JSON.parse(readFileSync(`${folder}/preprocessor_config.json`, "utf8")),
};

function pictures(n: number, [c, h, w]: readonly [number, number, number]): Float32Tensor {
  const size = c * h * w;
  return float32(
    [n, c, h, w],
    Float32Array.from({ length: n * size }, (_, i) => 0.5 + 0.4 * Math.sin(0.37 * i + i / size)),
  );
}

/** Halves the contrast of images of these dims. */
function pale(dims: readonly (number | string)[]): Graph {
  const b = new GraphBuilder();
  const x = b.input("x", "float32", dims);
  b.output("y", b.op("Add", [b.op("Mul", [x, b.float(0.5)]), b.float(0.25)]), "float32");
  return b.build("pale");
}

/** A dense layer over pixels in NHWC, whose values are called as those of {@link pale}; probabilities. */
function dense(dims: readonly (number | string)[]): Uint8Array {
  const b = new GraphBuilder();
  const weights = Array.from({ length: 48 * 5 }, (_, i) => Math.sin(1.1 * i));
  const flat = b.op("Flatten", [b.input("x", "float32", dims)]);
  b.output(
    "y",
    b.op("Softmax", [b.op("Gemm", [flat, b.weight("w", float32([48, 5], weights))])], { axis: int(1) }),
    "float32",
  );
  return graphToBytes(b.build("dense"));
}

describe("a classifier behind a graph", () => {
  it("answers for what the graph makes of the images, preprocessing included", async () => {
    const classifier = kept(await openWhiteBox(shipped, runtime, { threads: 1 }));
    const behind = kept(await classifier.behind(pale(["N", 1, 28, 28])));
    const images = pictures(3, [1, 28, 28]);
    const paler = float32(
      images.dims,
      images.data.map((value) => 0.5 * value + 0.25),
    );
    const [whole, own] = [
      await behind.lossGradient(images, [0, 3, 9]),
      await classifier.lossGradient(paler, [0, 3, 9]),
    ];
    expect(whole.losses.data).toBeAllclose(own.losses.data, { atol: 1e-5 });
    const halves = own.gradient.data.map((slope) => slope / 2);
    expect(whole.gradient.data).toBeAllclose(halves, { atol: 1e-5 });
    expect((await behind.classify(images)).scores.data).toBeAllclose(own.scores.data, { atol: 1e-4 });
  });

  it.each([
    ["any batch", "N", "N"],
    ["a fixed batch of the model", 2, "N"],
    ["one of the graph", "N", 2],
  ])("takes channels last, probabilities, equal names and %s", async (_, batch, rows) => {
    const flags = { mean: [0.4, 0.5, 0.6], std: [0.2, 0.25, 0.5], layout: "NHWC", threads: 1 } as const;
    const classifier = kept(await openWhiteBox({ model: dense([batch, 4, 4, 3]) }, runtime, flags));
    const behind = kept(await classifier.behind(pale([rows, 3, 4, 4])));
    const images = pictures(3, [3, 4, 4]);
    const paler = float32(
      images.dims,
      images.data.map((value) => 0.5 * value + 0.25),
    );
    const whole = await behind.lossGradient(images, [1, 2, 4]);
    expect(whole.losses.data).toBeAllclose((await classifier.lossGradient(paler, [1, 2, 4])).losses.data, {
      atol: 1e-5,
    });
    expect((await behind.classify(images)).kind).toBe("probabilities");
  });

  it("has the gradient that central differences show, through the shipped prior's denoiser", async () => {
    const prior = kept(await openPrior(modelFiles("fashion-mnist-prior"), runtime, { threads: 1 }));
    const classifier = kept(await openWhiteBox(shipped, runtime, { threads: 1 }));
    const behind = kept(await classifier.behind(await prior.denoiser!(33)));
    const images = pictures(2, [1, 28, 28]);
    const { gradient } = await behind.lossGradient(images, [0, 5]);
    const direction = Float32Array.from({ length: 784 }, (_, i) => Math.sin(2.1 * i));
    const step = 2e-3;
    const at = async (sign: number): Promise<Float32Array> => {
      const data = images.data.map((value, i) => value + sign * step * direction[i % 784]!);
      return (await behind.lossGradient(float32(images.dims, data), [0, 5])).losses.data;
    };
    const [above, below] = [await at(1), await at(-1)];
    for (const row of [0, 1]) {
      const own = rowsOf(gradient, row, row + 1).data;
      const found = own.reduce((sum, value, i) => sum + value * direction[i]!, 0);
      const bound = 0.02 * Math.hypot(...own) * Math.hypot(...direction);
      expect(Math.abs(found - (above[row]! - below[row]!) / (2 * step))).toBeLessThan(bound);
    }
  });

  it("refuses graphs that do not fit", async () => {
    const flags = { mean: 0, std: 1, threads: 1 } as const;
    const classifier = kept(await openWhiteBox({ model: dense([2, 3, 4, 4]) }, runtime, flags));
    await expect(classifier.behind(pale([4, 3, 4, 4]))).rejects.toThrow(/batches of 2 .*got one for 4/);
    const b = new GraphBuilder();
    b.output(
      "z",
      b.op("Add", [b.input("x", "float32", ["N", 3, 4, 4]), b.input("y", "float32", ["N", 3, 4, 4])]),
      "float32",
    );
    await expect(classifier.behind(b.build("two"))).rejects.toThrow(OptionError);
  });
});

describe("what looking inside needs", () => {
  it("is a file, and says what does without one", () => {
    expect(() => requireGradients("smoothinv", linearClassifier(4))).toThrow(
      /smoothinv: expected a classifier from an ONNX file.*purify what goes into it/,
    );
    expect(() => requireWhiteBox("smoothinv", linearWithGradient(4))).toThrow(OptionError);
    const classifier = linearWithGradient(4);
    expect(requireGradients("smoothinv", classifier)).toBe(classifier);
  });
});
