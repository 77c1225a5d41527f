import { describe, expect, test } from "vitest";
import { affine, clamp, combine } from "./arithmetic.ts";
import { bytesFromUnit, unitFromBytes } from "./image-bytes.ts";
import { concatRows, repeatRows, rowsOf } from "./rows.ts";
import { imageDims } from "./shape.ts";
import { float32, tensor } from "./tensor.ts";

const batch = float32([3, 2], [1, 2, 3, 4, 5, 6]);

describe("rows", () => {
  test("views, joins and repeats", () => {
    const middle = rowsOf(batch, 1, 2);
    expect(middle).toEqual(float32([1, 2], [3, 4]));
    expect(middle.data.buffer).toBe(batch.data.buffer);
    expect(concatRows([rowsOf(batch, 2, 3), rowsOf(batch, 0, 1)])).toEqual(float32([2, 2], [5, 6, 1, 2]));
    expect(repeatRows(rowsOf(batch, 0, 1), 2)).toEqual(float32([2, 2], [1, 2, 1, 2]));
    expect(() => concatRows([batch, float32([1, 3])])).toThrow("expected rows of [2], got [3]");
  });
});

describe("arithmetic", () => {
  test.each([1, 2, 3, 4])("combine sums %d weighted terms in either precision", (count) => {
    const terms = Array.from({ length: count }, (_, k) => [k + 1, batch] as const);
    const total = (count * (count + 1)) / 2;
    expect(combine(...terms)).toEqual(
      float32(
        [3, 2],
        [...batch.data].map((x) => total * x),
      ),
    );
    const wide = tensor("float64", [2], Float64Array.of(0.1, 0.2));
    expect(combine([2, wide]).data).toEqual(Float64Array.of(0.2, 0.4));
  });

  test("clamp and affine leave their input alone", () => {
    expect([...clamp(batch, 2, 4).data]).toEqual([2, 2, 3, 4, 4, 4]);
    expect([...affine(batch, 2, -1).data]).toEqual([1, 3, 5, 7, 9, 11]);
    expect([...batch.data]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(() => combine([1, batch], [1, float32([6])])).toThrow("expected dims [3, 2], got [6]");
  });
});

test("8-bit pixels survive the way to floats and back", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  expect(bytesFromUnit(unitFromBytes([1, 1, 16, 16], bytes))).toEqual(bytes);
  expect([...bytesFromUnit(float32([3], [-1, 2, 0.499]))]).toEqual([0, 255, 127]);
});

test("shapes are checked where tensors are made", () => {
  expect(() => float32([2, 2], [1, 2, 3])).toThrow("expected 4 elements for [2, 2], got 3");
  expect(() => imageDims("purify", [3, 28, 28])).toThrow("purify: expected images [N, C, H, W], got [3, 28, 28].");
});
