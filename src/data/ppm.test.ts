import { describe, expect, it } from "vitest";
import { bytesOf } from "../../test/support/pickle-bytes.ts";
import { FormatError } from "../core/errors.ts";
import { readPpm } from "./ppm.ts";

const samples = Uint8Array.from({ length: 12 }, (_, i) => 10 * i);

describe("PPM", () => {
  it.each(["P6\n2 2\n255\n", "P6 2 2 255 ", "P6\n# made by hand\n2\t2\n# again\n255\n"])("reads %j", (head) => {
    expect(readPpm(bytesOf(head, samples), "x.ppm", 100)).toEqual({
      channels: 3,
      height: 2,
      width: 2,
      pixels: Uint8Array.of(0, 30, 60, 90, 10, 40, 70, 100, 20, 50, 80, 110),
    });
  });

  it("keeps samples that look like white space", () => {
    const spaces = new Uint8Array(12).fill(0x20);
    expect(readPpm(bytesOf("P6 2 2 255\n", spaces), "x", 100).pixels).toEqual(spaces);
  });

  it.each([
    ["a text picture", bytesOf("P3 1 1 255\n1 2 3"), /expected a binary PPM of 8 bits, got 16 other bytes/],
    ["16 bits", bytesOf("P6 1 1 65535\n", samples), /of 8 bits/],
    ["no pixels", bytesOf("P6 0 2 255\n"), /of 8 bits/],
    ["too few samples", bytesOf("P6 2 2 255\n", samples.subarray(1)), /expected 12 bytes for 2 x 2 pixels, got 11/],
    ["too many samples", bytesOf("P6 1 2 255\n", samples), /expected 6 bytes for 1 x 2 pixels, got 12/],
    ["too many pixels", bytesOf("P6 99999999 2 255\n", samples), /expected at most 100 pixels, got 99999999 x 2/],
    ["nothing", new Uint8Array(0), /got 0 other bytes/],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => readPpm(bytes, "x.ppm", 100)).toThrow(message);
    expect(() => readPpm(bytes, "x.ppm", 100)).toThrow(FormatError);
  });
});
