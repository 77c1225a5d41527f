import { describe, expect, test } from "vitest";
import { memorySource } from "../core/byte-source.ts";
import { FormatError, InputError } from "../core/errors.ts";
import { decodeModel } from "./codec.ts";
import { inlineExternalData, loadExternalData } from "./external-data.ts";
import { encodeModelWithExternalData } from "./external-writer.ts";
import { create, DataLocation, DataType, type ModelProto, ModelProtoSchema, TensorProtoSchema } from "./schema.ts";

/** Eight floats in `weights.bin`, wherever the entries say. */
function externalModel(entries: Readonly<Record<string, string>>, dims: readonly bigint[] = [8n]): ModelProto {
  return create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ domain: "", version: 18n }],
    graph: {
      name: "g",
      initializer: [
        {
          name: "w",
          dataType: DataType.FLOAT,
          dims: [...dims],
          dataLocation: DataLocation.EXTERNAL,
          externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
        },
      ],
    },
  });
}

const bytes = Uint8Array.from({ length: 48 }, (_, i) => i);
const source = memorySource({ "weights.bin": bytes, "sub/weights.bin": bytes }, (name) => new InputError(`no ${name}`));

describe("loading", () => {
  test("reads each file once and puts the bytes where they belong", async () => {
    const model = externalModel({ location: "weights.bin", offset: "16", length: "32" });
    const files = await loadExternalData(model, source);
    expect(Object.keys(files)).toEqual(["weights.bin"]);
    inlineExternalData(model, files);
    expect(model.graph?.initializer[0]?.rawData).toEqual(bytes.subarray(16));
    expect(model.graph?.initializer[0]?.dataLocation).toBe(DataLocation.DEFAULT);
    expect(await loadExternalData(model, source)).toEqual({});
  });

  test("offset defaults to the beginning, length to the rest; folders below are fine", async () => {
    const model = externalModel({ location: "sub/weights.bin" }, [3n, 4n]);
    inlineExternalData(model, await loadExternalData(model, source));
    expect(model.graph?.initializer[0]?.rawData).toEqual(bytes);
  });

  test.each([
    ["an absolute path", "/etc/passwd"],
    ["a parent folder", "../weights.bin"],
    ["a hidden parent folder", "sub/../../weights.bin"],
    ["a drive", "C:weights.bin"],
    ["a backslash", "sub\\weights.bin"],
    ["a share", "\\\\host\\weights.bin"],
    ["an address", "http://host/weights.bin"],
    ["an empty part", "sub//weights.bin"],
    ["a zero byte", "weights.bin\0.png"],
    ["nothing", ""],
  ])("refuses %s", async (_, location) => {
    const error = await loadExternalData(externalModel({ location }), source).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FormatError);
    expect(String(error)).toMatch(/tensor "w": expected an external file inside the model's folder, got /);
  });

  test.each([
    [{ offset: "49" }, [8n], /expected bytes 49 to 48 of "weights.bin", got 48 bytes/],
    [{ offset: "16", length: "33" }, [8n], /expected bytes 16 to 49 of "weights.bin", got 48 bytes/],
    [{ length: "28" }, [8n], /expected 32 external bytes for FLOAT \[8\], got 28/],
    [{ offset: "-1" }, [8n], /expected offset as a number of bytes, got "-1"/],
    [{ length: "1e3" }, [8n], /expected length as a number of bytes, got "1e3"/],
    [{ length: "99999999999999999999" }, [8n], /expected length as a number of bytes/],
    [{}, [-8n], /expected dims of 0 or more, got \[-8\]/],
    [{}, [2n ** 40n, 2n ** 40n], /expected dims of 0 or more/],
  ])("refuses %o for %o", async (entries, dims, message) => {
    const model = externalModel({ location: "weights.bin", ...entries }, dims);
    await expect(loadExternalData(model, source)).rejects.toThrow(message);
    await expect(loadExternalData(model, source)).rejects.toThrow(FormatError);
  });

  test("a missing file is the source's error; one that was not handed over is named", async () => {
    const model = externalModel({ location: "other.bin" });
    await expect(loadExternalData(model, source)).rejects.toThrow(InputError);
    expect(() => inlineExternalData(model, {})).toThrow(
      'tensor "w": expected the external file "other.bin", got none.',
    );
  });
});

describe("writing", () => {
  const weight = (name: string, length: number): ReturnType<typeof create<typeof TensorProtoSchema>> =>
    create(TensorProtoSchema, {
      name,
      dataType: DataType.UINT8,
      dims: [BigInt(length)],
      rawData: Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 255),
    });
  const model = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ domain: "", version: 18n }],
    graph: { name: "g", initializer: [weight("small", 4), weight("a", 100), weight("b", 30)] },
  });

  test("big weights move out, aligned, and come back", async () => {
    const parts = encodeModelWithExternalData(model, { location: "w.data", threshold: 16 });
    expect(parts.chunks.map(({ length }) => length)).toEqual([100, 28, 30]);
    expect(parts.chunks[0]?.buffer).toBe(model.graph?.initializer[1]?.rawData.buffer);
    const file = Uint8Array.from(parts.chunks.flatMap((chunk) => [...chunk]));
    const read = decodeModel(parts.model);
    expect(read.graph?.initializer.map(({ dataLocation }) => dataLocation)).toEqual([0, 1, 1]);
    expect(read.graph?.initializer[1]?.rawData).toHaveLength(0);
    inlineExternalData(
      read,
      await loadExternalData(
        read,
        memorySource({ "w.data": file }, () => new Error("missing")),
      ),
    );
    expect(read.graph?.initializer.map(({ rawData }) => [...rawData])).toEqual(
      model.graph?.initializer.map(({ rawData }) => [...rawData]),
    );
  });

  test("the given model is left as it was", () => {
    encodeModelWithExternalData(model, { threshold: 1 });
    expect(model.graph?.initializer.map(({ rawData }) => rawData.length)).toEqual([4, 100, 30]);
  });

  test("weights beyond 2 GB are written as views, never joined", () => {
    const block = new Uint8Array(2 ** 28);
    const big = create(ModelProtoSchema, {
      graph: { initializer: Array.from({ length: 9 }, () => create(TensorProtoSchema, { rawData: block })) },
    });
    const { model: bytesOfModel, chunks } = encodeModelWithExternalData(big);
    expect(chunks.map(({ length }) => length)).toEqual(Array(9).fill(2 ** 28));
    expect(bytesOfModel.length).toBeLessThan(1000);
    expect(decodeModel(bytesOfModel).graph?.initializer[8]?.externalData[1]?.value).toBe(String(2 ** 31));
  });

  test("a threshold must be a number of bytes", () => {
    expect(() => encodeModelWithExternalData(model, { threshold: 0 })).toThrow("threshold: expected a whole number");
  });
});
