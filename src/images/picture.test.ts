import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { float32 } from "../tensor/tensor.ts";
import { convertChannels } from "./channels.ts";
import { fitPicture } from "./fit.ts";
import { type Picture, picturesFromTensor, tensorFromPictures } from "./picture.ts";

const grey: Picture = { name: "a", channels: 1, height: 2, width: 3, pixels: Uint8Array.of(0, 51, 102, 153, 204, 255) };

describe("batches", () => {
  test("pictures to tensors and back", () => {
    const other = { ...grey, name: "b", pixels: grey.pixels.map((value) => 255 - value) };
    const batch = tensorFromPictures([grey, other]);
    expect(batch.dims).toEqual([2, 1, 2, 3]);
    expect(batch.data[1]).toBeCloseTo(0.2, 6);
    expect(picturesFromTensor(batch, ["a", "b"])).toEqual([grey, other]);
  });

  test("a picture of another size is named with both sizes", () => {
    const wide = { ...grey, name: "wide", width: 6, height: 1 };
    expect(() => tensorFromPictures([grey, wide])).toThrow("wide: expected [1, 2, 3] like a, got [1, 1, 6].");
    expect(() => tensorFromPictures([])).toThrow("expected at least one");
  });

  test("only grey and RGB tensors are pictures, each with a name", () => {
    expect(() => picturesFromTensor(float32([1, 2, 1, 1]), ["x"])).toThrow("expected 1 or 3 channels, got 2");
    expect(() => picturesFromTensor(float32([2, 1, 1, 1]), ["x"])).toThrow("expected 2 names, got 1");
  });
});

describe("convertChannels", () => {
  test("weighs colours as BT.601 does", () => {
    const pixels = Uint8Array.of(255, 0, 0, 10, 0, 255, 0, 20, 0, 0, 255, 30);
    const rgb: Picture = { name: "c", channels: 3, height: 1, width: 4, pixels };
    expect([...convertChannels(rgb, 1).pixels]).toEqual([76, 150, 29, 18]);
  });

  test("grey survives the way to RGB and back, for all values", () => {
    const pixels = Uint8Array.from({ length: 256 }, (_, i) => i);
    const all: Picture = { name: "all", channels: 1, height: 16, width: 16, pixels };
    const rgb = convertChannels(all, 3);
    expect(rgb.pixels.length).toBe(768);
    expect(convertChannels(rgb, 1)).toEqual(all);
    expect(convertChannels(all, 1)).toBe(all);
  });
});

describe("fitPicture", () => {
  test("gives the size, keeps flat colours and leaves a fitting picture alone", () => {
    const size = fc.integer({ min: 1, max: 20 });
    fc.assert(
      fc.property(size, size, size, size, fc.nat(255), (height, width, toHeight, toWidth, value) => {
        const pixels = new Uint8Array(3 * height * width).fill(value);
        const fitted = fitPicture({ name: "flat", channels: 3, height, width, pixels }, toHeight, toWidth);
        expect([fitted.height, fitted.width]).toEqual([toHeight, toWidth]);
        expect(fitted.pixels).toEqual(new Uint8Array(3 * toHeight * toWidth).fill(value));
      }),
      { numRuns: 50 },
    );
    expect(fitPicture(grey, 2, 3)).toBe(grey);
  });

  test("shrinking looks at every pixel", () => {
    // The last of four filters reaches from 25,000 to 45,000; an eighth of it lies beyond the end and an eighth below.
    const pixels = new Uint8Array(40_000);
    pixels[20_003] = 255;
    pixels.fill(100, 30_000);
    const strip: Picture = { name: "strip", channels: 1, height: 1, width: 40_000, pixels };
    expect([...fitPicture(strip, 1, 4).pixels]).toEqual([0, 0, 13, 86]);
  });
});
