/** @file Every recorded checkpoint of improved- and guided-diffusion: our graph of it against the float64 reference. */
import { readdirSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { openAiUNet } from "../../src/diffusion/unet/openai.ts";
import { parseOpenAiConfig } from "../../src/diffusion/unet/openai-config.ts";
import { graphToBytes } from "../../src/graph/to-model.ts";
import { openWeights } from "../../src/nn/checkpoints/weights.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { readGolden, readGoldenBytes, readGoldenJson } from "../support/golden.ts";
import { expectItemsClose } from "../support/relative-error.ts";

const root = new URL("unet-openai/", import.meta.url);
const cases = readdirSync(root, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));

describe("OpenAI's UNetModel", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createNodeRuntime({ threads: 1 });
  });

  it("has all 6 recorded folders", () => {
    expect(cases).toHaveLength(6);
  });

  it.each(cases)("%s equals the reference", async (name) => {
    const folder = `unet-openai/${name}`;
    const weights = await openWeights("model.pt", async (file) => readGoldenBytes(`${folder}/${file}`));
    const io = readGolden(`${folder}/io.safetensors`);
    const [n = 0, , height = 0, width = 0] = io.dims("x");
    const config = parseOpenAiConfig(readGoldenJson(`${folder}/config.json`));
    const unet = openAiUNet(config, weights, { height, width });
    const feeds: Record<string, Tensor> = {
      sample: { dtype: "float32", dims: io.dims("x"), data: io.float32("x") },
      timestep: { dtype: "float32", dims: [n], data: io.float32("timesteps") },
    };
    if (unet.classInput !== undefined) feeds["class_labels"] = io.tensor("y");
    const session = await runtime.load(graphToBytes(unet.graph), { threads: 1 });
    const { out } = await session.run(feeds);
    await session.dispose();
    expect(out?.dims).toEqual(io.dims("out"));
    expectItemsClose(out!.data as Float32Array, io.float32("out"), { items: n, tolerance: 5e-5 });
  });
});
