/** @file The third layout of `.pt` files: our graph of it against the float64 reference. */
import { expect, it } from "vitest";
import { isSampDetox, sampDetoxUNet } from "../../src/diffusion/unet/sampdetox.ts";
import { graphToBytes } from "../../src/graph/to-model.ts";
import { openWeights } from "../../src/nn/checkpoints/weights.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import { readGolden, readGoldenBytes } from "../support/golden.ts";
import { expectItemsClose } from "../support/relative-error.ts";

it("equals the reference", async () => {
  const weights = await openWeights("model.pt", async (file) => readGoldenBytes(`unet-sampdetox/${file}`));
  expect(isSampDetox(weights)).toBe(true);
  const unet = sampDetoxUNet(weights, { height: 8, width: 8 });
  expect(unet.tableRows).toBe(50);
  const io = readGolden("unet-sampdetox/io.safetensors");
  const session = await (await createNodeRuntime()).load(graphToBytes(unet.graph), { threads: 1 });
  const { out } = await session.run({
    sample: { dtype: "float32", dims: [3, 3, 8, 8], data: io.float32("x") },
    timestep: { dtype: "float32", dims: [3], data: io.float32("timesteps") },
  });
  await session.dispose();
  expectItemsClose(out!.data as Float32Array, io.float32("out"), { items: 3, tolerance: 5e-5 });
});
