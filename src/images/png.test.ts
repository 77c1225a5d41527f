import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FormatError } from "../core/errors.ts";
import type { Picture } from "./picture.ts";
import { decodePlainPng, encodePlainPng, pngOf, scanlinesOf } from "./png.ts";

const pictures = fc
  .record({
    channels: fc.constantFrom(1 as const, 3 as const),
    height: fc.integer({ min: 1, max: 12 }),
    width: fc.integer({ min: 1, max: 12 }),
    pixels: fc.uint8Array({ minLength: 432, maxLength: 432 }),
  })
  .map(
    ({ channels, height, width, pixels }): Picture => ({
      name: "p",
      channels,
      height,
      width,
      pixels: pixels.subarray(0, channels * height * width),
    }),
  );
const picture: Picture = {
  name: "p",
  channels: 3,
  height: 3,
  width: 2,
  pixels: Uint8Array.from({ length: 18 }, (_, i) => 9 * i),
};
const png = encodePlainPng(picture);

describe("plain PNG", () => {
  test("what is written is read back", () => {
    fc.assert(
      fc.property(pictures, (each) => {
        expect(decodePlainPng(encodePlainPng(each), "p")).toEqual(each);
      }),
      { numRuns: 200 },
    );
  });

  test("undoes all five filters", () => {
    const lines = Uint8Array.from(
      [
        [0, 10, 20, 30, 40, 50, 60],
        [1, 1, 2, 3, 4, 5, 6],
        [2, 1, 1, 1, 1, 1, 1],
        [3, 7, 7, 7, 9, 9, 9],
        [4, 200, 100, 50, 250, 5, 0],
      ].flat(),
    );
    // Worked by hand from section 9.2 of the specification; planes R, G, B of five rows of two pixels.
    const expected = [
      10, 40, 1, 5, 2, 6, 8, 16, 208, 202, 20, 50, 2, 7, 3, 8, 8, 17, 108, 113, 30, 60, 3, 9, 4, 10, 9, 18, 59, 59,
    ];
    const file = pngOf({ ...picture, height: 5 }, deflateSync(lines));
    expect([...(decodePlainPng(file, "p")?.pixels ?? [])]).toEqual(expected);
  });

  test.each([1, 7, 20, 40, png.length - 1])("refuses a file cut after %i bytes", (length) => {
    expect(() => decodePlainPng(png.subarray(0, length), "cut.png")).toThrow(FormatError);
    expect(() => decodePlainPng(png.subarray(0, length), "cut.png")).toThrow("cut.png: expected a whole PNG, got");
  });

  test("refuses a wrong check sum, too few pixels and too many", () => {
    const flipped = png.map((byte, i) => (i === 45 ? byte ^ 1 : byte));
    expect(() => decodePlainPng(flipped, "p")).toThrow("a wrong check sum of chunk");
    const lines = scanlinesOf(picture);
    expect(() => decodePlainPng(pngOf(picture, deflateSync(lines.subarray(1))), "p")).toThrow("20 of 21 bytes");
    expect(() => decodePlainPng(pngOf(picture, deflateSync(new Uint8Array(22))), "p")).toThrow("do not inflate");
  });

  test("a header that lies about its size is refused before memory is asked for", () => {
    const lying = pngOf({ ...picture, width: 30_000, height: 2000 }, deflateSync(new Uint8Array(10)));
    expect(() => decodePlainPng(lying, "liar")).toThrow("which cannot hold 30000 x 2000 pixels");
    const huge = pngOf({ ...picture, width: 2 ** 31, height: 2 ** 31 }, deflateSync(new Uint8Array(10)));
    expect(() => decodePlainPng(huge, "huge")).toThrow("expected at most 64000000 pixels");
    const empty = pngOf({ ...picture, width: 0 }, deflateSync(new Uint8Array(10)));
    expect(() => decodePlainPng(empty, "none")).toThrow("expected pixels, got a size of 0 x 3");
  });

  test("damaged bytes give a picture, another kind, or our error", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(png.length - 1), fc.nat(255)), { maxLength: 6 }), (edits) => {
        const broken = png.slice();
        for (const [at, byte] of edits) if (at >= 8) broken[at] = byte;
        try {
          const read = decodePlainPng(broken, "p");
          if (read !== undefined) expect(read.pixels.length).toBe(read.channels * read.height * read.width);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
