import { describe, expect, it } from "vitest";
import { memorySource } from "../../core/byte-source.ts";
import { FormatError, InputError } from "../../core/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { readCheckpoint } from "./read-checkpoint.ts";
import { writeSafetensors } from "./safetensors-writer.ts";
import type { StateDict } from "./state-dict.ts";
import { takeTensor, toFloat32, weightsOf } from "./weights.ts";

const float = (...values: number[]): Tensor => ({
  dtype: "float32",
  dims: [values.length],
  data: Float32Array.from(values),
});

const state = new Map<string, Tensor>([
  ["conv.weight", float(1, 2, 3)],
  ["conv.bias", float(1, Number.NaN)],
  ["norm.weight", float(Number.NEGATIVE_INFINITY)],
  ["large", { dtype: "float64", dims: [1], data: Float64Array.of(1e300) }],
]);

describe("taking weights", () => {
  it("names the tensor and both shapes", () => {
    expect(() => takeTensor(state, "conv.weight", [1, 3], { subject: "u.pt" })).toThrow(
      'u.pt: expected tensor "conv.weight" of [1, 3], got [3].',
    );
    expect(() => takeTensor(state, "conv.wieght", [3])).toThrow(
      'checkpoint: expected tensor "conv.wieght" of [3], got none among 4; the nearest of its names is "conv.weight".',
    );
    expect(() => takeTensor(new Map(), "w", [3])).toThrow('checkpoint: expected tensor "w" of [3], got none among 0.');
  });

  it("names tensors with numbers that are not finite", () => {
    expect(() => takeTensor(state, "conv.bias", [2])).toThrow(
      'checkpoint: expected finite numbers in tensor "conv.bias", got NaN at index 1.',
    );
    expect(() => takeTensor(state, "norm.weight", [1])).toThrow(/"norm.weight", got -Infinity at index 0/);
    expect(() => takeTensor(state, "large", [1])).toThrow(/"large", got Infinity at index 0/);
    expect(() => takeTensor(state, "large", [1])).toThrow(FormatError);
  });

  it("lists what nobody took", () => {
    const weights = weightsOf(state, "u.pt");
    weights.take("conv.weight", [3]);
    expect(() => weights.take("conv.bias", [2])).toThrow();
    expect(weights.unused()).toEqual(["conv.bias", "norm.weight", "large"]);
    expect([weights.has("large"), weights.has("small"), weights.dimsOf("small")]).toEqual([true, false, undefined]);
  });
});

it("widens every type to float32", () => {
  expect(toFloat32({ dtype: "float16", dims: [2], data: Uint16Array.of(0x3c00, 0x0001) }).data).toEqual(
    Float32Array.of(1, 2 ** -24),
  );
  expect(toFloat32({ dtype: "bfloat16", dims: [1], data: Uint16Array.of(0xbfc0) }).data).toEqual(Float32Array.of(-1.5));
  expect(toFloat32({ dtype: "int64", dims: [1], data: BigInt64Array.of(-7n) }).data).toEqual(Float32Array.of(-7));
  expect(toFloat32({ dtype: "bool", dims: [2], data: Uint8Array.of(0, 1) }).data).toEqual(Float32Array.of(0, 1));
});

describe("shards", () => {
  const index = (map: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify({ weight_map: map }));
  const shard = writeSafetensors(new Map([["module.w", float(1)]]));
  const read = (
    map: unknown,
    files: Record<string, Uint8Array> = { "unet/a.safetensors": shard },
  ): Promise<StateDict> =>
    readCheckpoint(
      "unet/m.index.json",
      memorySource({ "unet/m.index.json": index(map), ...files }, (name) => new InputError(`no ${name}`)),
    );

  it("reads the files beside the index", async () => {
    expect([...(await read({ "module.w": "a.safetensors" }))]).toEqual([["w", float(1)]]);
  });

  it.each(["../a", "/etc/passwd", "..", "a/b", "a\\b", "C:a", "", "\0"])(
    "does not leave the folder for %j",
    async (name) => {
      await expect(read({ w: name })).rejects.toThrow(
        `expected files beside the index, got ${JSON.stringify(name)} for "w"`,
      );
    },
  );

  it("refuses what it cannot follow", async () => {
    await expect(read({})).rejects.toThrow("expected 1 to 1000 files, got 0");
    await expect(read({ v: "a.safetensors" })).rejects.toThrow('expected tensor "v" in a.safetensors');
    await expect(read({ w: "b.safetensors" })).rejects.toBeInstanceOf(InputError);
    await expect(read({ w: 1 })).rejects.toThrow("weight_map");
    await expect(read({ w: "m.index.json" })).rejects.toThrow("got another index");
    const many = Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`w${i}`, `f${i}`]));
    await expect(read(many)).rejects.toThrow("expected 1 to 1000 files, got 1001");
    await expect(readCheckpoint("i.json", async () => new TextEncoder().encode('{"weight'))).rejects.toThrow(
      'checkpoint "i.json": expected JSON',
    );
  });

  it("stops when asked", async () => {
    const files = memorySource({ i: index({ w: "a" }) }, (name) => new InputError(name));
    await expect(readCheckpoint("i", files, AbortSignal.abort(new Error("stop")))).rejects.toThrow("stop");
  });
});
