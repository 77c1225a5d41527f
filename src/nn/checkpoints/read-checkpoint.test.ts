import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readGolden, readGoldenBytes } from "../../../test/support/golden.ts";
import { memorySource } from "../../core/byte-source.ts";
import { FormatError, InputError } from "../../core/errors.ts";
import { readCheckpoint } from "./read-checkpoint.ts";
import { openWeights, toFloat32 } from "./weights.ts";

const golden = async (name: string): Promise<Uint8Array> => readGoldenBytes(name);

function openBytes(name: string, bytes: Uint8Array): Promise<ReadonlyMap<string, unknown>> {
  return readCheckpoint(
    name,
    memorySource({ [name]: bytes }, (missing) => new InputError(`no ${missing}`)),
  );
}

describe("every golden file of weights", () => {
  const folders = ["unet-diffusers", "unet-openai"].flatMap((area) =>
    readdirSync(`test/golden/${area}`, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => `${area}/${entry.name}`),
  );

  it("exists", () => expect(folders.length).toBe(31));

  it.each(folders)("%s", async (folder) => {
    const names = readdirSync(`test/golden/${folder}`).filter((name) => !/^(io|config|README)/.test(name));
    const index = names.find((name) => name.endsWith(".index.json"));
    const state = await readCheckpoint(`${folder}/${index ?? names[0]}`, golden);
    const config = JSON.parse(new TextDecoder().decode(readGoldenBytes(`${folder}/config.json`))) as {
      in_channels?: number;
      block_out_channels?: number[];
    };
    const first = state.get("conv_in.weight") ?? state.get("input_blocks.0.0.weight");
    expect(first?.dims.length).toBe(4);
    expect(first?.dims[1]).toBe(config.in_channels ?? 3);
    for (const [name, t] of state) {
      expect(t.data.length, name).toBe(t.dims.reduce((product, dim) => product * dim, 1));
      expect(toFloat32(t).data.every(Number.isFinite), name).toBe(true);
    }
  });
});

it("reads the same numbers from shards as from their files", async () => {
  const folder = "unet-diffusers/sharded";
  const state = await readCheckpoint(`${folder}/diffusion_pytorch_model.safetensors.index.json`, golden);
  const shards = [1, 2, 3, 4].map((i) => readGolden(`${folder}/diffusion_pytorch_model-0000${i}-of-00004.safetensors`));
  expect(state.size).toBe(shards.reduce((sum, { tensors }) => sum + tensors.size, 0));
  for (const shard of shards) for (const [name, t] of shard.tensors) expect(state.get(name)).toEqual(t);
});

it("asks for weights by shape, and remembers what was not taken", async () => {
  const weights = await openWeights("unet-openai/guided-fp16/model.pt", golden);
  const all = weights.unused().length;
  expect(weights.dimsOf("time_embed.0.weight")).toEqual([128, 32]);
  expect(weights.take("time_embed.0.weight", [128, 32]).dtype).toBe("float32");
  expect(weights.unused().length).toBe(all - 1);
  expect(() => weights.take("time_embed.0.weight", [32, 128])).toThrow(
    'checkpoint "unet-openai/guided-fp16/model.pt": expected tensor "time_embed.0.weight" of [32, 128], got [128, 32].',
  );
  expect(() => weights.take("time_embed.0.wight", [1])).toThrow(
    /got none among \d+; the nearest .*time_embed.0.weight/,
  );
});

it("says what a file is instead", async () => {
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  await expect(openBytes("a.pt", text(""))).rejects.toThrow("an empty file");
  await expect(openBytes("a.pt", text("<!DOCTYPE html><p>"))).rejects.toThrow("an HTML page");
  await expect(openBytes("a.pt", text("version https://git-lfs.github.com/spec/v1\n"))).rejects.toThrow("Git LFS");
  await expect(openBytes("a.pt", text("hello"))).rejects.toThrow("begin with 68 65 6c 6c 6f");
  await expect(openBytes("a.pt", text("hello"))).rejects.toBeInstanceOf(FormatError);
});
