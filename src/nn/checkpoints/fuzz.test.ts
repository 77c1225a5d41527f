/** @file Random and damaged files of weights are read or refused with our error, quickly. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readGoldenBytes } from "../../../test/support/golden.ts";
import { bytesOf, dictPickle, global, tensorPiece, torchLegacy, torchZip } from "../../../test/support/pickle-bytes.ts";
import { FormatError } from "../../core/errors.ts";
import { readCheckpoint } from "./read-checkpoint.ts";
import { readSafetensors } from "./safetensors.ts";
import { writeSafetensors } from "./safetensors-writer.ts";

async function readsOrRefuses(bytes: Uint8Array): Promise<void> {
  const before = performance.now();
  try {
    const state = await readCheckpoint("fuzz", async () => bytes);
    for (const { dims, data } of state.values()) expect(data.length).toBe(dims.reduce((a, b) => a * b, 1));
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    expect(error.message).toMatch(/^checkpoint "fuzz": .*\.$/s);
    expect(error.message.length).toBeLessThan(1000);
  }
  expect(performance.now() - before).toBeLessThan(2000);
}

/** A valid file with some bytes replaced, and perhaps its end cut off. */
const damaged = (file: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc
    .record({
      edits: fc.array(fc.tuple(fc.nat(file.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 8 }),
      length: fc.oneof(
        { weight: 3, arbitrary: fc.constant(file.length) },
        { weight: 1, arbitrary: fc.nat(file.length) },
      ),
    })
    .map(({ edits, length }) => {
      const copy = Uint8Array.from(file);
      for (const [at, value] of edits) copy[at] = value;
      return copy.slice(0, length);
    });

const values = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
const pickle = dictPickle({ w: tensorPiece([2, 2], [1, 2]), v: tensorPiece([3], [1]) });

/** Opcodes in any order: mostly those that the reader knows, with short arguments between. */
const opcodeSoup = fc
  .array(
    fc.oneof(
      fc.constantFrom(..."()]}t\x85\x86\x87lduesaN\x88\x890012.\x94RbQ\x81\x8f\x90\x91\x93"),
      fc.constantFrom("K\x01", "q\x00", "h\x00", "h\x01", "X\x01\x00\x00\x00a", "X\x05\x00\x00\x00model"),
      fc.constant(global("collections", "OrderedDict")),
      fc.constant(global("torch", "FloatStorage")),
      fc.constant(global("torch._utils", "_rebuild_tensor_v2")),
      fc.uint8Array({ maxLength: 3 }),
    ),
    { maxLength: 60 },
  )
  .map((pieces) => bytesOf("\x80\x02", ...pieces, "."));

describe("fuzz", () => {
  it("safetensors: random headers", () => {
    const sizes = fc.oneof(fc.nat(16), fc.integer(), fc.double(), fc.constant(2 ** 53), fc.string());
    const header = fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom("__proto__", "__metadata__", "a")),
      fc.oneof(
        fc.record({
          dtype: fc.constantFrom("F32", "F16", "I64", "BOOL", "X"),
          shape: fc.array(sizes, { maxLength: 3 }),
          data_offsets: fc.array(sizes, { maxLength: 3 }),
        }),
        fc.jsonValue({ maxDepth: 2 }),
      ),
      { maxKeys: 4 },
    );
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 32 }), (claims, data) => {
        const text = new TextEncoder().encode(JSON.stringify(claims));
        const file = bytesOf(new Uint8Array(new BigUint64Array([BigInt(text.length)]).buffer), text, data);
        try {
          for (const { dims, data: out } of readSafetensors(file).tensors.values()) {
            expect(out.length).toBe(dims.reduce((a, b) => a * b, 1));
          }
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("safetensors: damaged files", async () => {
    const file = writeSafetensors(
      new Map([
        ["a", { dtype: "float32", dims: [2, 2], data: Float32Array.of(1, 2, 3, 4) }],
        ["b", { dtype: "int8", dims: [1], data: Int8Array.of(1) }],
      ]),
    );
    await fc.assert(fc.asyncProperty(damaged(file), readsOrRefuses), { numRuns: 500 });
  });

  it("anything", async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), readsOrRefuses), { numRuns: 500 });
  });

  it("pickles: opcodes in any order", async () => {
    await fc.assert(
      fc.asyncProperty(opcodeSoup, async (soup) => {
        await readsOrRefuses(torchZip(soup, { 0: values }));
        await readsOrRefuses(torchLegacy(soup, ["0"], values));
      }),
      { numRuns: 500 },
    );
  });

  it("torch files: damaged ones, made by hand and by torch", async () => {
    const legacy = torchLegacy(pickle, ["0"], bytesOf("\x04\0\0\0\0\0\0\0", values));
    const saved = readGoldenBytes("unet-diffusers/pickle-bin/diffusion_pytorch_model.bin");
    await fc.assert(fc.asyncProperty(damaged(torchZip(pickle, { 0: values })), readsOrRefuses), { numRuns: 500 });
    await fc.assert(fc.asyncProperty(damaged(legacy), readsOrRefuses), { numRuns: 500 });
    await fc.assert(fc.asyncProperty(damaged(Uint8Array.from(saved)), readsOrRefuses), { numRuns: 50 });
  });
});
