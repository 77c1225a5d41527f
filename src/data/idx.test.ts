import fc from "fast-check";
import { gzipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { FormatError } from "../core/errors.ts";
import { toNumbers } from "../tensor/tensor.ts";
import { expandIdx, readIdx } from "./idx.ts";

/** An IDX file of this element code, dims and bytes. */
function idx(code: number, dims: readonly number[], data: readonly number[] | Uint8Array): Uint8Array {
  const head = new DataView(new ArrayBuffer(4 + 4 * dims.length));
  head.setUint8(2, code);
  head.setUint8(3, dims.length);
  dims.forEach((dim, i) => {
    head.setUint32(4 + 4 * i, dim);
  });
  const out = new Uint8Array(head.byteLength + data.length);
  out.set(new Uint8Array(head.buffer));
  out.set(data, head.byteLength);
  return out;
}

const images = idx(8, [2, 1, 3], [1, 2, 3, 4, 5, 6]);

describe("IDX", () => {
  it("reads images and labels, plain and gzipped, with and without a name in the gzip header", () => {
    const files = [images, gzipSync(images), gzipSync(images, { filename: "images" })];
    for (const file of files) {
      expect(readIdx(file)).toEqual({ dtype: "uint8", dims: [2, 1, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) });
    }
    expect(readIdx(idx(8, [2], [7, 9])).dims).toEqual([2]);
    expect(readIdx(idx(8, [1, 1, 1, 1], [7])).dims).toEqual([1, 1, 1, 1]);
    expect(readIdx(idx(8, [0, 28, 28], [])).data.length).toBe(0);
  });

  it("reads the wider types, which are big-endian", () => {
    expect(toNumbers(readIdx(idx(9, [2], [1, 255])))).toEqual([1, -1]);
    expect(toNumbers(readIdx(idx(0x0b, [2], [1, 0, 255, 255])))).toEqual([256, -1]);
    expect(toNumbers(readIdx(idx(0x0c, [1], [0, 0, 1, 0])))).toEqual([256]);
    expect(toNumbers(readIdx(idx(0x0d, [1], [0x3f, 0xc0, 0, 0])))).toEqual([1.5]);
    expect(toNumbers(readIdx(idx(0x0e, [1], [0x3f, 0xf8, 0, 0, 0, 0, 0, 0])))).toEqual([1.5]);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ["an empty file", new Uint8Array(0), /expected 2 bytes at offset 0/],
    ["other bytes", Uint8Array.from([80, 75, 3, 4, 0]), /such as 00000803 .* got 504b0304/],
    ["an unknown type", idx(7, [1], [1]), /got 00000701/],
    ["no dims", idx(8, [], []), /got 00000800/],
    ["too many dims", idx(8, [1, 1, 1, 1, 1], [1]), /got 00000805/],
    ["missing data", images.subarray(0, -1), /expected 22 bytes for uint8 \[2, 1, 3\], got 21/],
    ["data too many", idx(8, [1], [1, 2]), /expected 9 bytes for uint8 \[1\], got 10/],
    ["dims of more than the file", idx(8, [2 ** 32 - 1, 2 ** 32 - 1, 28], []), /expected 5165\d+ bytes .* got 16/],
    [
      "a bomb",
      gzipSync(idx(8, [2 ** 31, 28, 28], [])),
      /expected \d+ bytes, got \d+ deflated ones that cannot hold them/,
    ],
    ["more than the header says", gzipSync(idx(8, [1], new Uint8Array(5_000_000))), /expected 9 bytes, got more/],
    ["less than the header says", gzipSync(idx(8, [50], [1])), /expected 58 bytes, got 9 when expanded/],
    ["a damaged stream", gzipSync(images).fill(0xff, 12, 20), /expected deflated bytes, got damaged ones/],
    ["half a stream", gzipSync(images).subarray(0, 25), /expected/],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => readIdx(bytes, "x")).toThrow(message);
    expect(() => readIdx(bytes, "x")).toThrow(/^x: /);
    expect(() => readIdx(bytes, "x")).toThrow(FormatError);
  });

  it("expands a bomb no further than one step", () => {
    const bomb = gzipSync(idx(8, [1], new Uint8Array(40_000_000)), { level: 9 });
    const before = performance.now();
    expect(() => expandIdx(bomb, "x")).toThrow("got more when expanded");
    expect(performance.now() - before).toBeLessThan(1000);
  });

  it("random and damaged files are read or refused", () => {
    for (const file of [images, gzipSync(images)]) {
      const edits = fc.array(fc.tuple(fc.nat(file.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 6 });
      fc.assert(
        fc.property(edits, fc.nat(file.length), (changes, length) => {
          const copy = file.slice();
          for (const [at, value] of changes) copy[at] = value;
          try {
            readIdx(copy.subarray(0, length));
          } catch (error) {
            expect(error).toBeInstanceOf(FormatError);
          }
        }),
        { numRuns: 400 },
      );
    }
  });
});
