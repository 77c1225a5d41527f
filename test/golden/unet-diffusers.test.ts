/** @file Every recorded `UNet2DModel` folder: our graph of it against the float64 reference. */
import { readdirSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { weightsOf } from "../../src/nn/checkpoints/weights.ts";
import { readCheckpoint } from "../../src/nn/checkpoints/read-checkpoint.ts";
import { parseUNet2DConfig } from "../../src/diffusion/unet/diffusers-config.ts";
import { diffusersUNet } from "../../src/diffusion/unet/diffusers.ts";
import { graphToBytes } from "../../src/graph/to-model.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { readGolden, readGoldenBytes, readGoldenJson } from "../support/golden.ts";
import { expectItemsClose } from "../support/relative-error.ts";

const root = new URL("unet-diffusers/", import.meta.url);
const cases = readdirSync(root, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));

/** The weights file that a folder has. */
function weightsFile(folder: string): string {
  const files = readdirSync(new URL(`${folder}/`, root));
  const name = files.find((file) => file.endsWith(".index.json")) ?? files.find((file) => /^diffusion_/.test(file));
  return name!;
}

describe("UNet2DModel", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createNodeRuntime({ threads: 1 });
  });

  it("has all 25 recorded folders", () => {
    expect(cases).toHaveLength(25);
  });

  it.each(cases)("%s equals the reference", async (name) => {
    const folder = `unet-diffusers/${name}`;
    const source = async (file: string) => readGoldenBytes(`${folder}/${file}`);
    const state = await readCheckpoint(weightsFile(name), source);
    const weights = weightsOf(state, name);
    const unet = diffusersUNet(parseUNet2DConfig(readGoldenJson(`${folder}/config.json`)), weights);

    const io = readGolden(`${folder}/io.safetensors`);
    const [n = 0] = io.dims("sample");
    const feeds: Record<string, Tensor> = {
      sample: { dtype: "float32", dims: io.dims("sample"), data: io.float32("sample") },
      timestep: timesteps(io.float32("timestep"), n),
    };
    if (unet.classInput?.kind === "label") feeds["class_labels"] = io.tensor("class_labels");
    else if (unet.classInput !== undefined) {
      feeds["class_labels"] = { dtype: "float32", dims: io.dims("class_labels"), data: io.float32("class_labels") };
    }
    const session = await runtime.load(graphToBytes(unet.graph), { threads: 1 });
    const { out } = await session.run(feeds);
    await session.dispose();
    expect(out?.dims).toEqual(io.dims("out"));
    expectItemsClose(out!.data as Float32Array, io.float32("out"), { items: n, tolerance: 5e-5 });
  });
});

/** What each item is shown; some cases give one value for all. */
function timesteps(values: Float32Array, n: number): Tensor {
  const data = Float32Array.from({ length: n }, (_, i) => values[i % values.length]!);
  return { dtype: "float32", dims: [n], data };
}
