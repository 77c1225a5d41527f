import { afterAll, describe, expect, it } from "vitest";
import { readGoldenBytes } from "../../test/support/golden.ts";
import { modelFiles } from "../../test/support/model-files.ts";
import type { ByteSource } from "../core/byte-source.ts";
import { InputError, OptionError } from "../core/errors.ts";
import { graphToBytes } from "../graph/to-model.ts";
import { createNodeRuntime } from "../runtime/node.ts";
import { affine, clamp } from "../tensor/arithmetic.ts";
import { elementCount } from "../tensor/shape.ts";
import { type Float32Tensor, float32, type RealTensor } from "../tensor/tensor.ts";
import { openPrior } from "./open-prior.ts";
import type { Prior } from "./prior.ts";
import { estimateX0 } from "./samplers/clean-estimate.ts";
import { alphaBarAt, timestepAt } from "./schedules.ts";

const runtime = await createNodeRuntime({ threads: 1 });
const opened: Prior[] = [];
afterAll(async () => {
  for (const prior of opened) await prior.dispose();
});

async function open(source: ByteSource, options = {}): Promise<Prior> {
  const prior = await openPrior(source, runtime, { threads: 1, ...options });
  opened.push(prior);
  return prior;
}

function noisyImages(rows: number, { channels, height, width }: Prior["dims"]): Float32Tensor {
  const dims = [rows, channels, height, width];
  return float32(
    dims,
    Float32Array.from({ length: elementCount(dims) }, (_, i) => 0.5 + 0.8 * Math.sin(0.31 * i + (i % 17))),
  );
}

/** What the sampler's own parts make of the same images. */
async function estimated(prior: Prior, noisy: Float32Tensor, index: number): Promise<RealTensor> {
  const root = Math.sqrt(alphaBarAt(prior.schedule, index));
  const state = affine(noisy, 2 * root, -root);
  const shown = new Float64Array(noisy.dims[0] ?? 0).fill(timestepAt(prior.schedule, index));
  const x0 = estimateX0(state, await prior.predict(state, shown), alphaBarAt(prior.schedule, index));
  return affine(clamp(x0, -1, 1), 0.5, 0.5);
}

async function denoised(prior: Prior, noisy: Float32Tensor, index: number): Promise<Float32Tensor> {
  const graph = await prior.denoiser!(index);
  const session = await runtime.load(graphToBytes(graph), { threads: 1 });
  const results = await session.run({ [graph.inputs[0]!.name]: noisy });
  await session.dispose();
  return results[graph.outputs[0]!.name] as Float32Tensor;
}

/** The small golden net as a bare ONNX prior: int64 timesteps, any batch. */
function bareNet(type: string): ByteSource {
  const scheduler = {
    beta_schedule: "linear",
    beta_start: 1e-4,
    beta_end: 0.02,
    num_train_timesteps: 1000,
    prediction_type: type,
  };
  const files: Record<string, Uint8Array> = {
    "model.onnx": readGoldenBytes("defences/noise.onnx"),
    "scheduler_config.json": new TextEncoder().encode(JSON.stringify({ _class_name: "DDPMScheduler", ...scheduler })),
  };
  return async (name) => {
    const bytes = files[name];
    if (bytes === undefined) throw new InputError(`${name}: expected a file, got nothing there.`);
    return bytes;
  };
}

describe("oneShotDenoiser", () => {
  it.each([5, 145, 999])("is the sampler's estimate of the shipped prior at index %i", async (index) => {
    const prior = await open(modelFiles("fashion-mnist-prior"));
    const noisy = noisyImages(3, prior.dims);
    expect((await denoised(prior, noisy, index)).data).toBeAllclose((await estimated(prior, noisy, index)).data, {
      atol: 2e-4,
    });
  });

  it.each(["epsilon", "sample", "v_prediction"])("reads a bare net that predicts %s", async (type) => {
    const prior = await open(bareNet(type));
    const noisy = noisyImages(2, prior.dims);
    expect((await denoised(prior, noisy, 200)).data).toBeAllclose((await estimated(prior, noisy, 200)).data, {
      atol: 1e-5,
    });
  });

  it("is in float32 where the prior runs in 8 bits, and knows its indices", async () => {
    const plain = await open(modelFiles("fashion-mnist-prior"));
    const quick = await open(modelFiles("fashion-mnist-prior"), { precision: "int8" });
    const noisy = noisyImages(1, plain.dims);
    expect(await denoised(quick, noisy, 70)).toEqual(await denoised(plain, noisy, 70));
    await expect(plain.denoiser!(1000)).rejects.toThrow(OptionError);
  });
});
