import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FormatError, ShapeError } from "../core/errors.ts";
import { arrayOf, type DType, type Tensor, toNumbers } from "../tensor/tensor.ts";
import { readNpy, writeNpy } from "./npy.ts";
import { readNpz, writeNpz } from "./npz.ts";

/** Written by numpy 2.4. */
const numpy = {
  f4: "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAACAPwAAAEAAAEBAAACAQAAAoEA=",
  fortranBigEndian:
    "k05VTVBZAQB2AHsnZGVzY3InOiAnPmkyJywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAADAAEABAACAAU=",
  version2:
    "k05VTVBZAgB0AAAAeydkZXNjcic6ICc8ZjgnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAAAAAAAAAAAPA/AAAAAAAAAEAAAAAAAAAIQAAAAAAAABBAAAAAAAAAFEA=",
  version3:
    "k05VTVBZAwB0AAAAeydkZXNjcic6ICd8YjEnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAQEBAQE=",
  npz: "UEsDBC0AAAAAAAAAIQBP6QAq//////////8FABQAYS5ucHkBABAAmAAAAAAAAACYAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJzxmNCcsICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgyLCAzKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAKAAAAAAAAgD8AAABAAABAQAAAgEAAAKBAUEsDBC0AAAAAAAAAIQBEeW1d//////////8FABQAYi5ucHkBABAAggAAAAAAAACCAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJzxmMicsICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAKAD5QSwECLQMtAAAAAAAAACEAT+kAKpgAAACYAAAABQAAAAAAAAAAAAAAgAEAAAAAYS5ucHlQSwECLQMtAAAAAAAAACEARHltXYIAAACCAAAABQAAAAAAAAAAAAAAgAHPAAAAYi5ucHlQSwUGAAAAAAIAAgBmAAAAiAEAAAAA",
  compressed:
    "UEsDBC0AAAAIAAAAIQBP6QAq//////////8FABQAYS5ucHkBABAAmAAAAAAAAABVAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TZqKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6CsaaOgq1CmQDLgYwaLAHEg5ABMQNQLzAAQBQSwMELQAAAAgAAAAhAER5bV3//////////wUAFABiLm5weQEAEACCAAAAAAAAAEQAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpNmpK6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkamjoKtQoUAS4GOwBQSwECLQMtAAAACAAAACEAT+kAKlUAAACYAAAABQAAAAAAAAAAAAAAgAEAAAAAYS5ucHlQSwECLQMtAAAACAAAACEARHltXUQAAACCAAAABQAAAAAAAAAAAAAAgAGMAAAAYi5ucHlQSwUGAAAAAAIAAgBmAAAABwEAAAAA",
};

const decode = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, "base64"));

/** An npy file of version 1 with this header and data. */
function npy(header: string, data = new Uint8Array(0)): Uint8Array {
  const out = new Uint8Array(10 + header.length + data.length);
  out.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length % 256, header.length >> 8]);
  out.set(new TextEncoder().encode(header), 10);
  out.set(data, 10 + header.length);
  return out;
}

const head = (descr: string, shape: string): string =>
  `{'descr': ${descr}, 'fortran_order': False, 'shape': ${shape}, }`;

describe("npy", () => {
  it.each([
    ["f4", "float32"],
    ["fortranBigEndian", "int16"],
    ["version2", "float64"],
    ["version3", "bool"],
  ] as const)("reads what numpy writes: %s", (name, dtype) => {
    const t = readNpy(decode(numpy[name]));
    expect([t.dtype, t.dims]).toEqual([dtype, [2, 3]]);
    expect(toNumbers(t)).toEqual(dtype === "bool" ? [0, 1, 1, 1, 1, 1] : [0, 1, 2, 3, 4, 5]);
  });

  it("writes the same bytes as numpy", () => {
    expect(writeNpy({ dtype: "float32", dims: [2, 3], data: Float32Array.of(0, 1, 2, 3, 4, 5) })).toEqual(
      decode(numpy.f4),
    );
  });

  it("brings every type and shape back, aligned data as a view", () => {
    for (const dtype of Object.keys(arrayOf) as DType[]) {
      if (dtype === "bfloat16") continue;
      for (const dims of [[], [3], [2, 0], [1, 2, 3]]) {
        const data = new arrayOf[dtype](dims.reduce((a, b) => a * b, 1)) as Uint8Array;
        data.fill(dtype === "int64" || dtype === "uint64" ? (1n as never) : 1);
        const t = { dtype, dims, data } as unknown as Tensor;
        const bytes = writeNpy(t);
        expect(readNpy(bytes)).toEqual(t);
        expect(readNpy(bytes).data.buffer).toBe(bytes.buffer);
        const shifted = new Uint8Array(bytes.length + 1);
        shifted.set(bytes, 1);
        expect(readNpy(shifted.subarray(1))).toEqual(t);
      }
    }
  });

  it("reads numbers of the other byte order, and Python 2's long integers", () => {
    const big = new Uint8Array([0x3f, 0xc0, 0, 0]);
    expect(toNumbers(readNpy(npy(head("'>f4'", "(1L,)"), big)))).toEqual([1.5]);
  });

  it("refuses to write what numpy lacks, or the wrong number of values", () => {
    expect(() => writeNpy({ dtype: "bfloat16", dims: [0], data: new Uint16Array(0) })).toThrow(/got bfloat16/);
    expect(() => writeNpy({ dtype: "int8", dims: [2], data: new Int8Array(3) })).toThrow(ShapeError);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ["other bytes", new Uint8Array(20), /begin with/],
    ["nothing", new Uint8Array(0), /begin with/],
    ["a version of the future", decode(numpy.f4).with(6, 4), /version 1 to 3, got 4/],
    ["a header beyond the file", decode(numpy.f4).subarray(0, 100), /expected 118 bytes at offset 10, got 90/],
    ["a long header", npy(" ".repeat(20_000)), /at most 10000 bytes, got 20000/],
    ["missing data", decode(numpy.f4).subarray(0, 151), /expected 24 bytes for float32 \[2, 3\], got 23/],
    ["a huge shape", npy(head("'<f4'", "(1000000, 1000000)")), /expected 4000000000000 bytes/],
    ["a shape beyond integers", npy(head("'<f4'", "(99999999999999999999,)")), /shape of integers/],
    ["objects", npy(head("'|O'", "(1,)"), new Uint8Array(8)), /got O; Python objects are never loaded/],
    ["texts", npy(head("'<U5'", "(1,)")), /got U5/],
    ["structures", npy(head("[('a', '<f4')]", "(1,)")), /expected a header with the descr of a number/],
    ["a negative dim", npy(head("'<f4'", "(-1,)")), /expected a header/],
    ["no dict", npy("hello"), /got hello/],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => readNpy(bytes, "x.npy")).toThrow(message);
    expect(() => readNpy(bytes, "x.npy")).toThrow(/^x\.npy: /);
    expect(() => readNpy(bytes, "x.npy")).toThrow(FormatError);
  });
});

describe("npz", () => {
  it("reads what numpy writes, stored and deflated", () => {
    for (const file of [numpy.npz, numpy.compressed]) {
      const arrays = readNpz(decode(file));
      expect([...arrays.keys()]).toEqual(["a", "b"]);
      expect(toNumbers(arrays.get("a")!)).toEqual([0, 1, 2, 3, 4, 5]);
      expect(arrays.get("b")).toEqual({ dtype: "float16", dims: [], data: Uint16Array.of(0x3e00) });
    }
  });

  it("brings arrays back, with equal bytes for equal arrays", () => {
    const arrays = new Map<string, Tensor>([
      ["images", { dtype: "uint8", dims: [2, 2], data: Uint8Array.of(1, 2, 3, 4) }],
      ["__proto__", { dtype: "int64", dims: [1], data: BigInt64Array.of(-1n) }],
    ]);
    for (const deflated of [true, false]) {
      const bytes = writeNpz(arrays, { deflated });
      expect(readNpz(bytes)).toEqual(arrays);
      expect(writeNpz(arrays, { deflated })).toEqual(bytes);
    }
  });

  it("checks counts and sizes before it expands", () => {
    const zeros: Tensor = { dtype: "uint8", dims: [1_000_000], data: new Uint8Array(1_000_000) };
    const bomb = writeNpz(new Map(["a", "b", "c"].map((name) => [name, zeros])));
    expect(bomb.length).toBeLessThan(10_000);
    expect(() => readNpz(bomb, "x.npz", { maxBytes: 2_000_000 })).toThrow(
      "x.npz: expected at most 2000000 bytes when expanded, got 3000384.",
    );
    expect(() => readNpz(bomb, "x.npz", { maxEntries: 2 })).toThrow("x.npz: expected at most 2 files, got 3.");
    expect(readNpz(bomb).get("c")?.data.length).toBe(1_000_000);
  });

  it("refuses entries that expand to another size than stated", () => {
    const file = decode(numpy.compressed);
    const end = new DataView(file.buffer, file.length - 22);
    const view = new DataView(file.buffer, end.getUint32(16, true));
    for (const size of [2 ** 31, 151, 153, 0]) {
      view.setUint32(24, size, true);
      expect(() => readNpz(file, "x.npz", { maxBytes: 2 ** 40 }), `${size}`).toThrow(/^x\.npz: "a\.npy": expected/);
    }
  });
});

describe("fuzz", () => {
  const readsOrRefuses = (read: () => unknown): void => {
    try {
      read();
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError);
    }
  };

  it("npy: random headers and damaged files", () => {
    const shape = fc.oneof(
      fc.string(),
      fc.array(fc.nat()).map((dims) => `(${dims.join()})`),
    );
    const descr = fc.constantFrom("'<f4'", "'>i8'", "'|b1'", "'<c8'", "'O'", "[]");
    const header = fc.oneof(
      fc.string(),
      fc.tuple(descr, shape).map(([a, b]) => head(a, b)),
    );
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 64 }), (text, data) => {
        readsOrRefuses(() => {
          const t = readNpy(npy(text, data));
          expect(t.data.length).toBe(t.dims.reduce((a, b) => a * b, 1));
        });
      }),
      { numRuns: 500 },
    );
  });

  it.each(["f4", "fortranBigEndian", "npz", "compressed"] as const)("damaged %s", (name) => {
    const file = decode(numpy[name]);
    const edits = fc.array(fc.tuple(fc.nat(file.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 6 });
    fc.assert(
      fc.property(edits, fc.nat(file.length), fc.boolean(), (changes, length, cut) => {
        const copy = file.slice();
        for (const [at, value] of changes) copy[at] = value;
        const bytes = cut ? copy.subarray(0, length) : copy;
        readsOrRefuses(() => (name.startsWith("f") ? readNpy(bytes) : readNpz(bytes, "x", { maxBytes: 2 ** 24 })));
      }),
      { numRuns: 400 },
    );
  });
});
