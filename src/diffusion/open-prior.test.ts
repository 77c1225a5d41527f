import { beforeAll, describe, expect, it } from "vitest";
import { readGolden, readGoldenBytes, readGoldenJson } from "../../test/support/golden.ts";
import { goldenFiles, modelFiles, withFiles } from "../../test/support/model-files.ts";
import { expectItemsClose } from "../../test/support/relative-error.ts";
import type { ByteSource } from "../core/byte-source.ts";
import { GraphBuilder, int } from "../graph/builder.ts";
import { graphToBytes } from "../graph/to-model.ts";
import { readSafetensors } from "../nn/checkpoints/safetensors.ts";
import { writeSafetensors } from "../nn/checkpoints/safetensors-writer.ts";
import { createNodeRuntime } from "../runtime/node.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { float32, type Tensor } from "../tensor/tensor.ts";
import { type OpenPriorOptions, openPrior } from "./open-prior.ts";

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const nothing: ByteSource = withFiles(goldenFiles("unet-openai"), {});
const ddpm = { _class_name: "DDPMScheduler", beta_start: 1e-4, beta_end: 0.02, num_train_timesteps: 1000 };
const shipped = modelFiles("fashion-mnist-prior");

describe("openPrior", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createNodeRuntime({ threads: 1 });
  });
  const open = (source: ByteSource, options?: OpenPriorOptions) => openPrior(source, runtime, options);
  const refuse = (source: ByteSource, message: RegExp, options?: OpenPriorOptions) =>
    expect(open(source, options)).rejects.toThrow(message);

  it("opens a bare UNet2DModel folder", async () => {
    const prior = await open(
      withFiles(goldenFiles("unet-diffusers/cifar10-like"), { "scheduler_config.json": json(ddpm) }),
    );
    const io = readGolden("unet-diffusers/cifar10-like/io.safetensors");
    const x = { dtype: "float64", dims: io.dims("sample"), data: io.float64("sample") } as const;
    const { noise } = await prior.predict(x, io.float64("timestep"));
    expect(noise.dtype).toBe("float64");
    expectItemsClose(noise.data, io.float32("out"), { items: 2, tolerance: 5e-5 });
    expect(prior.dims).toEqual({ channels: 3, height: 16, width: 16 });
    await prior.dispose();
  });

  it("opens an OpenAI checkpoint with a learned variance", async () => {
    const folder = "unet-openai/improved-learn-sigma";
    const prior = await open(goldenFiles(folder));
    const io = readGolden(`${folder}/io.safetensors`);
    const x = float32(io.dims("x"), io.float32("x"));
    const { noise, variance } = await prior.predict(x, io.float64("timesteps"));
    const out = io.float32("out");
    const half = (from: number) =>
      [0, 1].flatMap((row) => [...out.subarray((2 * row + from) * 192, (2 * row + from + 1) * 192)]);
    expectItemsClose(noise.data, half(0), { items: 1, tolerance: 5e-5 });
    expectItemsClose(variance!.data, half(1), { items: 1, tolerance: 5e-5 });
    expect(prior.variance).toBe("learned-range");
    // improved-diffusion rescales timesteps to 0..1000, which 1000 steps leave as they are.
    expect(prior.schedule.timesteps[999]).toBe(999);
    await prior.dispose();
  });

  it("rescales the timesteps of improved-diffusion's 4000 steps", async () => {
    const config = { ...readGoldenJson<object>("unet-openai/improved-learn-sigma/config.json"), diffusion_steps: 4000 };
    const source = goldenFiles("unet-openai/improved-learn-sigma");
    const prior = await open(withFiles(source, { "config.json": json({ ...config, noise_schedule: "cosine" }) }));
    expect(prior.schedule.timesteps[3999]).toBe(999.75);
    await prior.dispose();
    const silent = withFiles(source, { "config.json": json({ ...config, code: undefined }) });
    await refuse(silent, /"rescale_timesteps" \(or "code"\) with 4000 "diffusion_steps", got neither/);
  });

  it("opens the checkpoint layout of SampDetox's authors", async () => {
    const prior = await open(withFiles(goldenFiles("unet-sampdetox"), { "config.json": json({ img_size: 8 }) }));
    const io = readGolden("unet-sampdetox/io.safetensors");
    const { noise } = await prior.predict(float32(io.dims("x"), io.float32("x")), io.float64("timesteps"));
    expectItemsClose(noise.data, io.float32("out"), { items: 3, tolerance: 5e-5 });
    expect(prior.schedule.betas).toHaveLength(50);
    await expect(prior.predict(float32([1, 3, 8, 8]), Float64Array.of(50))).rejects.toThrow(/from 0 to 49, got 50/);
    await prior.dispose();
  });

  it("conditions a class-conditional net on one class", async () => {
    const folder = "unet-diffusers/class-embed";
    const source = withFiles(goldenFiles(folder), { "scheduler_config.json": json(ddpm) });
    await refuse(
      source,
      /expected a class from 0 to 9 as "classLabel", because the net is class-conditional, got none/,
    );
    const io = readGolden(`${folder}/io.safetensors`);
    const [label = 0] = io.float32("class_labels");
    const prior = await open(source, { classLabel: label });
    const { noise } = await prior.predict(float32(io.dims("sample"), io.float32("sample")), io.float64("timestep"));
    expectItemsClose(noise.data.subarray(0, 192), io.float32("out").subarray(0, 192), { items: 1, tolerance: 5e-5 });
    await prior.dispose();
  });

  describe("with a bare ONNX model", () => {
    /** noise = x + t, for timesteps of any type and rank, and a batch that may be fixed. */
    const model = (
      dtype: "float32" | "int64",
      { shared = false, batch }: { shared?: boolean; batch?: number } = {},
    ) => {
      const b = new GraphBuilder();
      const rows = batch ?? "N";
      const x = b.input("x_t", "float32", [rows, 1, "H", "W"]);
      const t = b.input("steps", dtype, shared ? [1] : [rows]);
      const column = b.op("Unsqueeze", [b.op("Cast", [t], { to: int(1) }), b.ints(1, 2, 3)]);
      b.output("eps", b.op("Add", [x, column]), "float32", [rows, 1, "H", "W"]);
      return withFiles(nothing, { "model.onnx": graphToBytes(b.build("toy")), "scheduler_config.json": json(ddpm) });
    };
    const size = { height: 2, width: 1 };
    const t = Float64Array.of(3, 3, 5, 5, 5);
    const x = float32([5, 1, 2, 1], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const expected = [4, 5, 6, 7, 10, 11, 12, 13, 14, 15];

    it.each([
      { what: "a timestep for each image", source: model("float32") },
      { what: "whole timesteps", source: model("int64") },
      { what: "one timestep for the batch", source: model("int64", { shared: true }) },
      { what: "a fixed batch", source: model("float32", { batch: 2 }) },
      { what: "a fixed batch with one timestep", source: model("float32", { batch: 4, shared: true }) },
    ])("feeds $what", async ({ source }) => {
      const prior = await open(source, { size, batch: 3 });
      expect([...(await prior.predict(x, t)).noise.data]).toEqual(expected);
      await prior.dispose();
    });

    it("refuses what is no noise predictor", async () => {
      await refuse(model("float32"), /expected a size for its images, because the model leaves "H" open/);
      const classifier = modelFiles("fashion-mnist-badnets");
      await refuse(classifier, /config\.json: expected the config of a diffusion prior, got that of a classifier/);
      await refuse(
        withFiles(classifier, { "config.json": undefined }),
        /expected scheduler_config.json beside model.onnx/,
      );
      const posing = withFiles(classifier, { "config.json": undefined, "scheduler_config.json": json(ddpm) });
      await refuse(posing, /model.onnx: expected two inputs .* as a noise predictor has, got "/);
      await refuse(
        withFiles(model("float32"), { "model.onnx": json({}) }),
        /^model.onnx: ONNX model: expected a ModelProto/,
      );
    });

    it("checks images and timesteps", async () => {
      const prior = await open(model("int64"), { size });
      await expect(prior.predict(float32([1, 3, 2, 1]), Float64Array.of(0))).rejects.toThrow(
        /expected images \[N, 1, 2, 1\], got \[1, 3, 2, 1\]/,
      );
      await expect(prior.predict(x, Float64Array.of(0))).rejects.toThrow(/a timestep for each of 5 images, got 1/);
      await expect(
        prior.predict(
          x,
          t.map((value) => value + 0.5),
        ),
      ).rejects.toThrow(/whole timesteps/);
      await expect(prior.predict(float32([5, 1, 2, 1], new Float32Array(10).fill(Number.NaN)), t)).rejects.toThrow(
        /expected finite predictions, got NaN for image 0 at timestep 3/,
      );
      expect((await prior.predict(float32([0, 1, 2, 1]), new Float64Array(0))).noise.dims).toEqual([0, 1, 2, 1]);
      const aborted = AbortSignal.abort(new Error("enough"));
      await expect(prior.predict(x, t, aborted)).rejects.toThrow("enough");
      await prior.dispose();
    });
  });

  describe("refuses", () => {
    const weightsName = "unet/diffusion_pytorch_model.safetensors";
    const changedWeights = async (change: (tensors: Map<string, Tensor>) => void): Promise<ByteSource> => {
      const tensors = new Map(readSafetensors(await shipped(weightsName)).tensors);
      change(tensors);
      return withFiles(shipped, { [weightsName]: writeSafetensors(tensors) });
    };
    const scheduler = (value: unknown) => withFiles(shipped, { "scheduler/scheduler_config.json": json(value) });

    it("an empty folder", () => refuse(nothing, /got a folder without any of them/));
    it("a batch of none", () => refuse(shipped, /expected "batch" of at least 1, got 0/, { batch: 0 }));

    it("pipelines over something else than pixels", async () => {
      const index = (value: unknown) => withFiles(shipped, { "model_index.json": json(value) });
      const scheduler = ["diffusers", "PNDMScheduler"];
      const texts = { text_encoder: ["transformers", "CLIPTextModel"], vae: ["diffusers", "AutoencoderKL"] };
      await refuse(
        index({
          _class_name: "StableDiffusionPipeline",
          scheduler,
          unet: ["diffusers", "UNet2DConditionModel"],
          ...texts,
        }),
        /got StableDiffusionPipeline with unet \(UNet2DConditionModel\), text_encoder \(CLIPTextModel\), vae \(AutoencoderKL\)/,
      );
      await refuse(index({ _class_name: "DiTPipeline", scheduler }), /got DiTPipeline without a "unet"/);
      await refuse(index({ unet: ["diffusers", "UNet2DModel"] }), /without a "scheduler"/);
      await refuse(
        withFiles(shipped, { "model_index.json": readGoldenBytes("README.md") }),
        /expected JSON, got other text/,
      );
    });

    it("an autoencoder", () =>
      refuse(
        withFiles(nothing, { "config.json": json({ _class_name: "AutoencoderKL" }) }),
        /expected the config of a UNet2DModel, got that of AutoencoderKL/,
      ));

    it("a folder with a part missing", async () => {
      await refuse(
        withFiles(shipped, { "unet/config.json": undefined }),
        /expected unet\/config.json beside model_index.json/,
      );
      await refuse(
        withFiles(shipped, { [weightsName]: undefined }),
        /expected the weights of unet\/config.json in one of/,
      );
      await refuse(withFiles(shipped, { "scheduler/scheduler_config.json": undefined }), /without betas nobody knows/);
      const openai = goldenFiles("unet-openai/guided-fp16");
      await refuse(withFiles(openai, { "config.json": undefined }), /expected config.json beside model.pt/);
    });

    it("weights that miss a tensor, have another shape, are not finite, or do not belong", async () => {
      const name = "mid_block.attentions.0.to_k.weight";
      await refuse(
        await changedWeights((t) => t.delete(name)),
        /"mid_block.attentions.0.to_k.weight" of \[96, 96\], got none/,
      );
      await refuse(
        await changedWeights((t) => t.set(name, float32([48, 96]))),
        /"mid_block.attentions.0.to_k.weight" of \[96, 96\], got \[48, 96\]/,
      );
      await refuse(
        await changedWeights((t) => t.set(name, float32([96, 96], new Float32Array(9216).fill(Number.NaN)))),
        /finite numbers in tensor "mid_block.attentions.0.to_k.weight", got NaN at index 0/,
      );
      await refuse(await changedWeights((t) => t.set("vae.conv", float32([1]))), /a place for, got "vae.conv"/);
      const time = "down_blocks.1.resnets.0.time_emb_proj.weight";
      await refuse(await changedWeights((t) => t.delete(time)), new RegExp(`"${time}" of \\[48, 96\\], got none`));
    });

    it("a config that contradicts itself, the weights or the scheduler", async () => {
      const config = JSON.parse(new TextDecoder().decode(await shipped("unet/config.json")));
      const unet = (changes: object) => withFiles(shipped, { "unet/config.json": json({ ...config, ...changes }) });
      await refuse(unet({ block_out_channels: [24, 48] }), /expected 2 entries in "down_block_types".* got 3/);
      await refuse(unet({ act_fn: "snake" }), /unet\/config.json: "act_fn"/);
      await refuse(unet({ in_channels: 3 }), /"conv_in.weight" of \[24, 3, 3, 3\], got \[24, 1, 3, 3\]/);
      await refuse(unet({ sample_size: 30 }), /the image size does not halve evenly/);
      await refuse(unet({ sample_size: null }), /expected "sample_size", got none/);
      await refuse(unet({ norm_num_groups: 7 }), /divides 24 channels, got 7/);
      await refuse(unet({ attention_head_dim: 200 }), /"attention_head_dim" of at most 96 channels, got 200/);
      const learned = goldenFiles("unet-diffusers/learned-time");
      await refuse(
        withFiles(learned, { "scheduler_config.json": json(ddpm) }),
        /expected at most 50 steps, .*, got 1000/,
      );
      await refuse(scheduler({ ...ddpm, trained_betas: [0.1, 0.2] }), /expected 1000 "trained_betas"/);
      await refuse(
        scheduler({ ...ddpm, variance_type: "learned_range" }),
        /1 input and 1 output channels, got learned_range/,
      );
      const openai = goldenFiles("unet-openai/guided-fp16");
      const told = readGoldenJson<object>("unet-openai/guided-fp16/config.json");
      await refuse(
        withFiles(openai, { "config.json": json({ ...told, num_channels: 64 }) }),
        /"num_channels": expected 32, as the tensors of the checkpoint show, got 64/,
      );
    });

    it("a torch file that is no such net", () =>
      refuse(
        withFiles(nothing, {
          "model.pt": readGoldenBytes("unet-diffusers/pickle-bin/diffusion_pytorch_model.bin"),
          "config.json": json({ image_size: 8 }),
        }),
        /expected the tensors of improved-diffusion, guided-diffusion .* got neither/,
      ));
  });
});
