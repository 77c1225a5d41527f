import { describe, expect, test } from "vitest";
import { float32 } from "../tensor/tensor.ts";
import { glyphRows } from "./font.ts";
import { readHeader } from "./header.ts";
import type { Picture } from "./picture.ts";
import { evidenceSheet, gridSheet, heatMap } from "./sheet.ts";
import { halfBlocks, itermImage, kittyImage } from "./terminal.ts";

const black: Picture = { name: "black", channels: 1, height: 2, width: 2, pixels: new Uint8Array(4) };
const rgb: Picture = { name: "rgb", channels: 3, height: 1, width: 2, pixels: Uint8Array.of(1, 2, 3, 4, 5, 6) };

function pixelAt({ channels, height, width, pixels }: Picture, x: number, y: number): number[] {
  return Array.from({ length: channels }, (_, c) => pixels[c * height * width + y * width + x] ?? -1);
}

describe("heatMap", () => {
  test("goes from black over red and yellow to white, by the square root", () => {
    const map = heatMap("m", float32([1, 1, 1, 6], [-1, 0, 1 / 9, 4 / 9, 1, 2]));
    expect([0, 1, 2, 3, 4, 5].map((x) => pixelAt(map, x, 0))).toEqual([
      [0, 0, 0],
      [0, 0, 0],
      [255, 0, 0],
      [255, 255, 0],
      [255, 255, 255],
      [255, 255, 255],
    ]);
    expect(() => heatMap("m", float32([2, 1, 1, 1]))).toThrow("m: expected a map [1, 1, H, W], got [2, 1, 1, 1].");
  });
});

describe("evidenceSheet", () => {
  test("shows input, output and maps side by side, enlarged, with gaps", () => {
    const white = { ...black, pixels: new Uint8Array(4).fill(255) };
    const map = float32([1, 1, 2, 2], [1 / 9, 0, 0, 0]);
    const sheet = evidenceSheet(black, white, { difference: map }, 3);
    expect([sheet.name, sheet.height, sheet.width]).toEqual(["black", 6, 24]);
    expect(pixelAt(sheet, 5, 5)).toEqual([0, 0, 0]);
    expect(pixelAt(sheet, 7, 0)).toEqual([255, 255, 255]);
    expect(pixelAt(sheet, 9, 0)).toEqual([255, 255, 255]);
    expect(pixelAt(sheet, 20, 2)).toEqual([255, 0, 0]);
    expect(pixelAt(sheet, 21, 2)).toEqual([0, 0, 0]);
  });

  test("small pictures are enlarged, large ones are not", () => {
    expect(evidenceSheet(black, black, {}).height).toBe(96);
    const large: Picture = { name: "l", channels: 1, height: 100, width: 200, pixels: new Uint8Array(20_000) };
    expect([evidenceSheet(large, large, {}).height, evidenceSheet(large, large, {}).width]).toEqual([100, 402]);
  });
});

test("gridSheet gives every picture its column, and captions their colour", () => {
  const sheet = gridSheet(["in", "out"], [[{ picture: black }, { picture: rgb, caption: "I", tone: "bad" }]], 2);
  // Gap 4, titles of 11 pixels at the least, then the second column; titles of 7 pixels and a gap above the pictures.
  expect(pixelAt(sheet, 4, 15)).toEqual([0, 0, 0]);
  expect(pixelAt(sheet, 19, 15)).toEqual([1, 3, 5]);
  expect(pixelAt(sheet, 21, 16)).toEqual([2, 4, 6]);
  expect(pixelAt(sheet, 20, 21)).toEqual([200, 30, 30]);
  expect(glyphRows("a")).toEqual(glyphRows("A"));
  expect(glyphRows("é")).toEqual(glyphRows("?"));
});

describe("terminals", () => {
  test("kitty gets base64 in pieces of at most 4096, the last one marked", () => {
    const text = kittyImage(new Uint8Array(7000).fill(65), 6);
    const pieces = text
      .split("\x1b\\")
      .slice(0, -1)
      .map((piece) => piece.slice("\x1b_G".length).split(";"));
    expect(pieces.map(([keys]) => keys)).toEqual(["f=100,a=T,q=2,r=6,m=1", "m=1", "m=0"]);
    expect(Buffer.from(pieces.map(([, data]) => data).join(""), "base64")).toEqual(Buffer.alloc(7000, 65));
  });

  test("iTerm2 gets one sequence with its size", () => {
    expect(itermImage(Uint8Array.of(1, 2, 3), 4)).toBe("\x1b]1337;File=inline=1;size=3;height=4:AQID\x07\n");
  });

  test("half blocks put two rows into a line", () => {
    const picture: Picture = { name: "p", channels: 1, height: 3, width: 1, pixels: Uint8Array.of(9, 8, 7) };
    expect(halfBlocks(picture)).toBe("\x1b[38;2;9;9;9m\x1b[48;2;8;8;8m▀\x1b[0m\n\x1b[38;2;7;7;7m\x1b[49m▀\x1b[0m\n");
    expect(halfBlocks(rgb)).toContain("\x1b[38;2;1;3;5m");
  });
});

describe("readHeader", () => {
  test("finds size and colour of a JPEG behind other segments", async () => {
    const { default: sharp } = await import("sharp");
    const make = (grey: boolean): Promise<Buffer> =>
      sharp(new Uint8Array(600 * (grey ? 1 : 3)), { raw: { width: 30, height: 20, channels: grey ? 1 : 3 } })
        .toColourspace(grey ? "b-w" : "srgb")
        .jpeg()
        .toBuffer();
    expect(readHeader(await make(false), "jpeg")).toEqual({ width: 30, height: 20, grey: false });
    const grey = await make(true);
    expect(readHeader(grey, "jpeg")).toEqual({ width: 30, height: 20, grey: true });
    for (const length of [0, 3, 30]) expect(readHeader(grey.subarray(0, length), "jpeg")).toBeUndefined();
  });
});
