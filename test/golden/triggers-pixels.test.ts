/** @file Patches as lists of pixels, and pictures resized to an image's size, as BackdoorBench and Pillow do it. */
import { describe, expect, it } from "vitest";
import { openTrigger } from "../../src/attacks/open-trigger.ts";
import { paintPatch } from "../../src/attacks/paint.ts";
import type { ImageShape } from "../../src/attacks/trigger.ts";
import { createNoise } from "../../src/core/noise.ts";
import { resize } from "../../src/tensor/resize.ts";
import { type Float32Tensor, float32 } from "../../src/tensor/tensor.ts";
import { type GoldenFile, readGolden } from "../support/golden.ts";
import { bytesOf, imageBatch, planes } from "../support/golden-images.ts";

const badnet = readGolden("triggers/badnet.safetensors");
const blended = readGolden("triggers/blended.safetensors");
const casesOf = <Case>(file: GoldenFile): [string, Case][] =>
  Object.entries(JSON.parse(file.metadata.get("cases")!) as Record<string, Case>);

/** Paints a grey value onto each of some pixels; negative places count from the end. */
async function painted(images: Float32Tensor, places: readonly (readonly [number, number])[], greys: readonly number[]) {
  const shape = images.dims.slice(1) as unknown as ImageShape;
  const [, height, width] = shape;
  const at = new Map(
    places.map(([row, column], i) => [((row + height) % height) * width + ((column + width) % width), greys[i]]),
  );
  const whole = { row: 0, column: 0, height, width };
  const trigger = await openTrigger({
    kind: "patch",
    attack: "golden",
    source: "",
    seed: 0,
    labels: { kind: "all-to-one", target: 0 },
    shape,
    parameters: { blend: 1 },
    arrays: paintPatch(shape, whole, (_, row, column) => at.get(row * width + column)),
  });
  return trigger.apply(images, { noise: createNoise(0, []) });
}

describe("lists of pixels", () => {
  const cases = casesOf<{ locations: [number, number][] }>(badnet).filter(([name]) => name.startsWith("loc"));

  it.each(cases)("%s", async (name, { locations }) => {
    const isBytes = name === "loc-hwc";
    const images = isBytes
      ? imageBatch(badnet, `${name}.x`)
      : float32([1, ...badnet.dims(`${name}.x`)], badnet.float32(`${name}.x`));
    const greys = [...badnet.float32(`${name}.pattern`)].map((value) => (isBytes ? value / 255 : value));
    const y = await painted(images, locations, greys);
    if (isBytes) expect(bytesOf(y)).toEqual(Uint8Array.from(planes(badnet, `${name}.y`).values));
    else expect(y.data).toEqual(badnet.float32(`${name}.y`));
  });
});

describe("pictures resized to the image's size", () => {
  const pairs = [
    ...casesOf(badnet)
      .filter(([name]) => /^(white|grid)/.test(name))
      .map(([name]) => ({ file: badnet, from: `${name}.trigger32`, to: `${name}.trigger` })),
    ...casesOf<{ inputs?: string }>(blended)
      .filter(([, { inputs }]) => inputs === undefined)
      .map(([name]) => ({ file: blended, from: `${name}.pattern48`, to: `${name}.pattern` })),
  ];

  it.each(pairs)("$from", ({ file, from, to }) => {
    const { shape, values } = planes(file, to);
    const resized = resize(imageBatch(file, from), shape[1], shape[2], { antialias: true });
    // Pillow rounds between rows and columns.
    expect(bytesOf(resized)).toBeAllclose(values, { atol: 1 });
  });
});
