import { beforeAll, describe, expect, it } from "vitest";
import { modelFiles } from "../../test/support/model-files.ts";
import { expectItemsClose } from "../../test/support/relative-error.ts";
import type { ByteSource } from "../core/byte-source.ts";
import { InputError } from "../core/errors.ts";
import { graphToBytes } from "../graph/to-model.ts";
import { readSafetensors } from "../nn/checkpoints/safetensors.ts";
import { freshWeights } from "../nn/fresh-weights.ts";
import { createNodeRuntime } from "../runtime/node.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { float32, type Tensor } from "../tensor/tensor.ts";
import { openPrior } from "./open-prior.ts";
import { cosineBetas, linearBetas } from "./schedules.ts";
import { diffusersUNet } from "./unet/diffusers.ts";
import { planUNet } from "./unet/plan-unet.ts";
import { priorFiles, schedulerConfig, scheduleToTrain, type TrainingSchedule } from "./write-prior.ts";

const folder =
  (files: Readonly<Record<string, Uint8Array>>): ByteSource =>
  async (name) => {
    const bytes = files[name];
    if (bytes === undefined) throw new InputError(`${name}: expected a file, got nothing there.`);
    return bytes;
  };

/** A small net, fresh, and its tensors as a training would give them back. */
function fresh(): { config: ReturnType<typeof planUNet>; weights: Map<string, Tensor>; model: Uint8Array } {
  const config = planUNet({ channels: 2, height: 8, width: 12, widths: [8, 16], attention: [1], headChannels: 8 });
  const drawn = freshWeights(5);
  const { graph } = diffusersUNet(config, drawn);
  return { config, weights: new Map(drawn.state), model: graphToBytes(graph) };
}

describe("priorFiles", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createNodeRuntime({ threads: 1 });
  });

  it("openPrior reads back the net and its schedule", async () => {
    const { config, weights, model } = fresh();
    const files = priorFiles({ config, weights, schedule: { kind: "cosine", trainTimesteps: 40 } });
    const prior = await openPrior(folder(files), runtime);
    expect(prior.dims).toEqual({ channels: 2, height: 8, width: 12 });
    expect(prior.variance).toBe("fixed-small");
    expect(prior.schedule.betas).toEqual(cosineBetas(40));
    const x = float32(
      [2, 2, 8, 12],
      Float32Array.from({ length: 384 }, (_, i) => Math.sin(i)),
    );
    const { noise } = await prior.predict(x, Float64Array.of(3, 39));
    await prior.dispose();

    const session = await runtime.load(model);
    const { out } = await session.run({ sample: x, timestep: float32([2], [3, 39]) });
    await session.dispose();
    expectItemsClose(noise.data, out!.data as Float32Array, { items: 2, tolerance: 1e-6 });
  });

  it("writes the shipped prior as it was given", async () => {
    const source = modelFiles("fashion-mnist-prior");
    const given = readSafetensors(await source("unet/diffusion_pytorch_model.safetensors"), "prior").tensors;
    const files = priorFiles({
      config: planUNet({ channels: 1, height: 28, width: 28 }),
      weights: given,
      schedule: { kind: "linear" },
    });
    expect(Object.keys(files).sort()).toEqual([
      "model_index.json",
      "scheduler/scheduler_config.json",
      "unet/config.json",
      "unet/diffusion_pytorch_model.safetensors",
    ]);
    const [ours, shipped] = [await openPrior(folder(files), runtime), await openPrior(source, runtime)];
    expect(ours.hash).toBe(shipped.hash);
    expect(ours.schedule).toEqual(shipped.schedule);
    await Promise.all([ours.dispose(), shipped.dispose()]);
  });

  it("fresh weights have the names and dims that diffusers has", async () => {
    const bytes = await modelFiles("fashion-mnist-prior")("unet/diffusion_pytorch_model.safetensors");
    const shapes = (tensors: ReadonlyMap<string, Tensor>) =>
      Object.fromEntries([...tensors].map(([name, { dims }]) => [name, dims]));
    const drawn = freshWeights(1);
    diffusersUNet(planUNet({ channels: 1, height: 28, width: 28 }), drawn);
    expect(shapes(drawn.state)).toEqual(shapes(readSafetensors(bytes, "prior").tensors));
  });

  it("equal priors give equal bytes", () => {
    const [one, other] = [fresh(), fresh()].map(({ config, weights }) => priorFiles({ config, weights, schedule: {} }));
    expect(one).toEqual(other);
  });

  it("refuses weights of another net, unknown ones, and numbers that are not finite", () => {
    const { config, weights } = fresh();
    const write = (changes: Readonly<Record<string, Tensor | undefined>>) => () => {
      const changed = new Map(weights);
      for (const [name, value] of Object.entries(changes)) {
        if (value === undefined) changed.delete(name);
        else changed.set(name, value);
      }
      return priorFiles({ config, weights: changed, schedule: {} });
    };
    expect(write({})).not.toThrow();
    expect(write({ "conv_in.bias": undefined })).toThrow(/prior: expected tensor "conv_in.bias" of \[8\], got none/);
    expect(write({ "conv_in.bias": float32([7]) })).toThrow(/"conv_in.bias" of \[8\], got \[7\]/);
    expect(write({ ema: float32([1]) })).toThrow(/expected only tensors that the config has a place for, got "ema"/);
    const broken = new Float32Array(8).fill(Number.NaN);
    expect(write({ "conv_in.bias": float32([8], broken) })).toThrow(/finite numbers in tensor "conv_in.bias", got NaN/);
  });
});

describe("schedulerConfig", () => {
  it("defaults to a thousand linear betas, and scales their ends to fewer", () => {
    expect(scheduleToTrain({}).betas).toEqual(linearBetas(1000, 1e-4, 0.02));
    const [long, short] = [1000, 50].map((trainTimesteps) => scheduleToTrain({ trainTimesteps }).alphasBar.at(-1)!);
    expect(short!).toBeLessThan(long! * 2);
    expect(scheduleToTrain({ trainTimesteps: 1 }).betas).toEqual(Float64Array.of(0.1));
    expect(scheduleToTrain({ betaStart: 1e-3, betaEnd: 1e-2, trainTimesteps: 2 }).betas).toEqual(
      Float64Array.of(1e-3, 1e-2),
    );
  });

  it.each<{ schedule: TrainingSchedule; message: RegExp }>([
    { schedule: { trainTimesteps: 0 }, message: /^schedule: option "trainTimesteps"/ },
    { schedule: { betaStart: 1 }, message: /^schedule: option "betaStart"/ },
    { schedule: { betaStart: 0.5 }, message: /expected "betaEnd" of at least "betaStart", got 0.02 and 0.5/ },
    { schedule: { kind: "cosine", betaEnd: 0.5 }, message: /for linear betas only, got them for cosine ones/ },
  ])("refuses $schedule", ({ schedule, message }) => {
    expect(() => schedulerConfig(schedule)).toThrow(message);
  });
});
