import { describe, expect, it } from "vitest";
import { readGolden } from "../../../test/support/golden.ts";
import { FormatError } from "../../core/errors.ts";
import { arrayOf, type DType, type Tensor } from "../../tensor/tensor.ts";
import { codeOf, readSafetensors } from "./safetensors.ts";
import { writeSafetensors } from "./safetensors-writer.ts";

/** A file with this header text and this many bytes of data. */
function fileOf(header: string, data = 0, claimed: number | bigint = header.length): Uint8Array {
  const out = new Uint8Array(8 + header.length + data);
  new DataView(out.buffer).setBigUint64(0, BigInt(claimed), true);
  out.set(new TextEncoder().encode(header), 8);
  return out;
}

const entry = (shape: unknown, from: unknown, to: unknown, dtype: unknown = "F32"): unknown => ({
  dtype,
  shape,
  data_offsets: [from, to],
});

const refuse = (header: unknown, data: number): (() => unknown) => {
  const text = typeof header === "string" ? header : JSON.stringify(header);
  return () => readSafetensors(fileOf(text, data), "x.safetensors");
};

describe("reading", () => {
  it("reads golden files of every stored type", () => {
    const schedules = readGolden("schedules/schedules.safetensors");
    for (const [name, t] of schedules.tensors) expect(t.data.length, name).toBe(t.dims.reduce((a, b) => a * b, 1));
    const prior = readGolden("prior-run.safetensors");
    expect(prior.dims("image_u8")).toEqual([4, 1, 28, 28]);
    const start = prior.float64("image_u8").map((value) => value / 127.5 - 1);
    expect(start).toBeAllclose(prior.float32("x_start"), { atol: 1e-6 });
    for (const folder of ["f16", "bf16"]) {
      const weights = readGolden(`unet-diffusers/${folder}/diffusion_pytorch_model.safetensors`);
      const largest = Math.max(...weights.float32("conv_in.weight").map(Math.abs));
      expect(largest).toBeLessThan(4);
      expect(largest).toBeGreaterThan(0.01);
    }
  });

  it("views the file where alignment allows and copies elsewhere, with the same numbers", () => {
    const bytes = writeSafetensors(new Map([["a", float(1, 2)]]));
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    const [aligned, copied] = [bytes, shifted.subarray(1)].map((file) => readSafetensors(file).tensors.get("a"));
    expect(aligned?.data.buffer).toBe(bytes.buffer);
    expect(copied?.data.buffer).not.toBe(shifted.buffer);
    expect(copied).toEqual(aligned);
  });

  it("allows padding, empty tensors, scalars and names of prototypes", () => {
    const header =
      '{"__proto__":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"e":{"dtype":"I8","shape":[0,3],"data_offsets":[4,4]}}   ';
    const { tensors } = readSafetensors(fileOf(header, 4));
    expect([...tensors.keys()]).toEqual(["__proto__", "e"]);
    expect(tensors.get("__proto__")?.data).toEqual(Float32Array.of(0));
  });
});

describe("headers that lie", () => {
  it.each([
    ["a length beyond the file", fileOf("{}", 0, 2 ** 31), /a header of at most 2 bytes, got a length of 2147483648/],
    ["a length beyond 2^53", fileOf("{}", 0, 2n ** 64n - 1n), /got a length of 18446744073709551615/],
    ["too few bytes", new Uint8Array(7), /at least 8 bytes, got 7/],
    ["no JSON", fileOf("{", 0), /expected a JSON header/],
    ["a list", fileOf("[]", 0), /expected a JSON object/],
    ["other text", fileOf("hello"), /expected a JSON header, got 5 other bytes/],
    ["no UTF-8", Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 255), /expected a JSON header, got 1 other bytes/],
  ])("%s", (_, bytes, message) => {
    expect(() => readSafetensors(bytes)).toThrow(message);
    expect(() => readSafetensors(bytes)).toThrow(FormatError);
  });

  it.each<[string, unknown, number, RegExp]>([
    [
      "an unknown dtype",
      { a: entry([1], 0, 4, "F8_E4M3") },
      4,
      /"a": expected one of the dtypes F64, .* got "F8_E4M3"/,
    ],
    ["a dtype of prototypes", { a: entry([1], 0, 4, "toString") }, 4, /got "toString"/],
    ["no dtype", { a: {} }, 0, /got undefined/],
    ["no entry", { a: 1 }, 0, /expected \{ dtype, shape, data_offsets \}/],
    ["a negative dim", { a: entry([-1], 0, 4) }, 4, /shape of non-negative integers/],
    ["a fractional dim", { a: entry([0.5], 0, 2) }, 2, /shape of non-negative integers/],
    [
      "a size that is not shape times dtype",
      { a: entry([3], 0, 8) },
      8,
      /expected 12 bytes for F32 \[3\], got offsets 0 to 8/,
    ],
    ["a huge shape", { a: entry([2 ** 40, 2 ** 40], 0, 4) }, 4, /expected 4.8\d+e\+24 bytes/],
    ["offsets beyond the data", { a: entry([2], 0, 8) }, 4, /data within 4 bytes, got offsets 0 to 8/],
    ["offsets the wrong way round", { a: entry([1], 4, 0) }, 4, /got offsets 4 to 0/],
    [
      "an overlap",
      { a: entry([2], 0, 8), b: entry([1], 4, 8) },
      8,
      /"b": expected data from offset 8, got 4, which is an overlap/,
    ],
    [
      "a hole",
      { a: entry([1], 0, 4), b: entry([1], 8, 12) },
      12,
      /"b": expected data from offset 4, got 8, which is a hole/,
    ],
    ["bytes of nobody", { a: entry([1], 0, 4) }, 8, /expected 4 bytes of data as its header says, got 8/],
    ["metadata that is no text", { __metadata__: { a: 1 } }, 0, /__metadata__ "a" to be a string/],
    ["metadata that is no object", { __metadata__: [] }, 0, /__metadata__ to be an object/],
  ])("%s", (_, header, data, message) => {
    expect(refuse(header, data)).toThrow(message);
    expect(refuse(header, data)).toThrow(/^x\.safetensors: /);
  });

  it("nesting without end, and a name without end", () => {
    const deep = `{"a":${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}}`;
    expect(refuse(deep, 0)).toThrow("x.safetensors: expected a header of at most 3 levels, got 1000001.");
    expect(refuse({ ["\\".repeat(10_000_000)]: 1 }, 0)).toThrow(/expected \{ dtype/);
    expect(refuse('{"a', 0)).toThrow(/expected a JSON header/);
    expect(refuse("{1:2}", 0)).toThrow(/expected a JSON header/);
  });

  it("a name twice", () => {
    const one = JSON.stringify(entry([1], 0, 4));
    expect(refuse(`{"a":${one},"\\u0061":${one}}`, 4)).toThrow(
      'x.safetensors: expected every tensor once, got "a" twice.',
    );
  });
});

describe("writing", () => {
  it("writes every type so that it reads back, aligned, with equal bytes for equal tensors", () => {
    const tensors = new Map(
      (Object.keys(codeOf) as DType[]).map((dtype) => {
        const data = new arrayOf[dtype](3);
        (data as Uint8Array).set(dtype.endsWith("64") && dtype !== "float64" ? ([1n, 0n, 1n] as never) : [1, 0, 1]);
        return [dtype, { dtype, dims: [3, 1], data } as Tensor];
      }),
    );
    const bytes = writeSafetensors(tensors, new Map([["format", "pt"]]));
    const file = readSafetensors(bytes);
    expect(new Map([...file.tensors].sort())).toEqual(new Map([...tensors].sort()));
    expect([...file.metadata]).toEqual([["format", "pt"]]);
    for (const { data } of file.tensors.values()) expect(data.buffer).toBe(bytes.buffer);
    expect(writeSafetensors(new Map([...tensors].reverse()), file.metadata)).toEqual(bytes);
    expect(readSafetensors(writeSafetensors(new Map())).tensors.size).toBe(0);
  });
});

function float(...values: number[]): Tensor {
  return { dtype: "float32", dims: [values.length], data: Float32Array.from(values) };
}
