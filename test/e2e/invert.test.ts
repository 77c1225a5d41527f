/** @file The backdoor of the shipped classifier, found from its file and clean pictures alone. */
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { openWhiteBox } from "../../src/classifiers/white-box.ts";
import { parseOptions } from "../../src/core/descriptor.ts";
import { OptionError } from "../../src/core/errors.ts";
import { createNoise } from "../../src/core/noise.ts";
import { openPrior } from "../../src/diffusion/open-prior.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/ir.ts";
import type { Inversion, InverterDescriptor } from "../../src/invert/inverter.ts";
import { inverters } from "../../src/invert/registry.ts";
import { rate } from "../../src/metrics/count.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { gaussianPrior } from "../support/gaussian-prior.ts";
import { readGoldenBytes } from "../support/golden.ts";
import { modelFiles } from "../support/model-files.ts";
import { shippedPictures } from "../support/shipped-pictures.ts";

const folder = "models/fashion-mnist-badnets";
const runtime = await createNodeRuntime({ threads: 1 });
const files = {
  model: readFileSync(`${folder}/model.onnx`),
  preprocessor: JSON.parse(readFileSync(`${folder}/preprocessor_config.json`, "utf8")),
};
const classifier = await openWhiteBox(files, runtime, { threads: 1 });
const prior = await openPrior(modelFiles("fashion-mnist-prior"), runtime, { threads: 1 });
const { images, labels, ids } = await shippedPictures(`${folder}/images`);
afterAll(async () => {
  await classifier.dispose();
  await prior.dispose();
});

/** What a method finds for some classes. */
async function find(
  name: keyof typeof inverters,
  raw: Record<string, unknown>,
  classes: readonly number[],
): Promise<Inversion[]> {
  const descriptor: InverterDescriptor = inverters[name];
  const inverter = await descriptor.create(parseOptions(descriptor, raw), { classifier, prior });
  const found: Inversion[] = [];
  for await (const one of inverter.invert({ images, labels, classes }, { noise: createNoise(1, ids) })) found.push(one);
  await inverter.dispose();
  return found;
}

describe("the shipped BadNets classifier, target 0", () => {
  it("gives its trigger away to SmoothInv from one picture", async () => {
    const [target, other] = await find("smoothinv", {}, [0, 3]);
    expect(target!.sources).toHaveLength(1);
    expect(rate(target!.success.others)).toBeGreaterThan(0.8);
    expect(rate(other!.success.others)).toBeLessThan(0.5);
    expect(target!.norms.l2).toBeLessThanOrEqual(2 + 1e-5);
  });

  it("does so behind the diffusion prior's denoiser", async () => {
    const raw = { denoise: true, sigma: 0.06, eps: 3, copies: 2, steps: 24 };
    const [target] = await find("smoothinv", raw, [0]);
    expect(rate(target!.success.others)).toBeGreaterThan(0.8);
  });

  it("needs a smaller mask for its target than for the class that is naturally easiest", async () => {
    const [target, shirt] = await find("neural-cleanse", { steps: 30, minibatches: 2 }, [0, 6]);
    expect(target!.norms.l1).toBeLessThan(0.75 * shirt!.norms.l1);
    expect(rate(target!.success.sources)).toBeGreaterThan(0.95);
  });

  it("asks for a prior where one is to denoise", async () => {
    const descriptor: InverterDescriptor = inverters.smoothinv;
    const options = parseOptions(descriptor, { denoise: true });
    await expect(descriptor.create(options, { classifier })).rejects.toThrow(OptionError);
    await expect(descriptor.create(options, { classifier })).rejects.toThrow(/--prior, or set denoise=false/);
  });
});

describe("the zoo's WaNet classifier, target 0", () => {
  it("gives itself away to a warp of half a pixel, and to none for other classes", async () => {
    const wanet = "models/zoo/wanet";
    const own = await openWhiteBox(
      {
        model: readFileSync(`${wanet}/model.onnx`),
        preprocessor: JSON.parse(readFileSync(`${wanet}/preprocessor_config.json`, "utf8")),
      },
      runtime,
      { threads: 1 },
    );
    const { "universal-warp": descriptor } = inverters;
    const inverter = await descriptor.create(parseOptions(descriptor, {}), { classifier: own });
    const found: Inversion[] = [];
    for await (const one of inverter.invert({ images, labels, classes: [0, 8] }, { noise: createNoise(1, ids) })) {
      found.push(one);
    }
    await inverter.dispose();
    await own.dispose();
    const [target, other] = found;
    expect(rate(target!.success.others)).toBeGreaterThan(0.9);
    expect(rate(other!.success.others)).toBeLessThan(0.1);
    expect(target!.norms.linf).toBeLessThan(2);
  });
});

describe("colour models of other toolkits", () => {
  /** Halves the contrast: stands for a denoiser. */
  function pale(): Graph {
    const b = new GraphBuilder();
    const x = b.input("x", "float32", ["N", 3, 32, 32]);
    b.output("y", b.op("Add", [b.op("Mul", [x, b.float(0.5)]), b.float(0.25)]), "float32");
    return b.build("pale");
  }

  const models = ["mobilenet-v2.ts9", "mobilenet-v2.dynamo18", "vit.dynamo23", "keras-vit.keras15"];
  it.each(models)("%s can be looked into, also behind a denoiser", async (name) => {
    const model = { model: readGoldenBytes(`exports/${name}.onnx`) };
    const suspect = await openWhiteBox(model, runtime, { mean: 0.5, std: 0.25, size: 32, threads: 1 });
    const pictures = float32(
      [3, 3, 32, 32],
      Float32Array.from({ length: 9216 }, (_, i) => 0.5 + 0.4 * Math.sin(0.37 * i)),
    );
    const context = { classifier: suspect, prior: { ...gaussianPrior(3, 32, 32), denoiser: async () => pale() } };
    for (const denoise of [false, true]) {
      const descriptor: InverterDescriptor = inverters.smoothinv;
      const inverter = await descriptor.create(parseOptions(descriptor, { denoise, copies: 2, steps: 3 }), context);
      const request = { images: pictures, labels: [0, 1, 2], classes: [0, 1] };
      const found: Inversion[] = [];
      for await (const one of inverter.invert(request, { noise: createNoise(1, ids) })) found.push(one);
      expect(found.map(({ target, norms }) => [target, norms.l2 > 0])).toEqual([
        [0, true],
        [1, true],
      ]);
      await inverter.dispose();
    }
    await suspect.dispose();
  });
});
