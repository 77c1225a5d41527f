import { expect, test } from "vitest";
import { uniforms } from "../core/noise.ts";
import { float32 } from "../tensor/tensor.ts";
import { controlGradient, controlsOver, fieldGradient, fieldOf, warpImages } from "./warp.ts";

const [height, width] = [9, 7];
const numbers = (stream: string, count: number, scale = 1): Float32Array =>
  Float32Array.from(uniforms(5, stream, 0, count), (u) => scale * (2 * u - 1));
const images = float32([3, 2, height, width], Float32Array.from(uniforms(5, "images", 0, 3 * 2 * height * width)));
const controls = controlsOver(3, [height, width]);

test("no displacement reads every pixel at its place", () => {
  expect(warpImages(images, fieldOf(controls, new Float32Array(18))).data).toBeAllclose(images.data, { atol: 1e-6 });
});

test("a field of whole pixels shifts the image, and the edge continues", () => {
  const field = float32([1, 2, height, width]);
  field.data.fill(2, 0, height * width);
  const { data } = warpImages(images, field);
  const row = images.data.subarray(0, width);
  expect(data.subarray(0, width)).toBeAllclose(
    [2, 3, 4, 5, 6, 6, 6].map((at) => row[at] ?? 0),
    { atol: 1e-6 },
  );
});

test("the derivative by control points is that of differences", () => {
  const moves = numbers("moves", 18, 0.4);
  const weights = float32(images.dims, numbers("weights", images.data.length));
  const loss = (at: Float32Array): number =>
    warpImages(images, fieldOf(controls, at)).data.reduce((sum, value, i) => sum + value * (weights.data[i] ?? 0), 0);
  const gradient = controlGradient(controls, fieldGradient(images, fieldOf(controls, moves), weights));
  const step = 2e-3;
  const differences = moves.map((_, i) => {
    const moved = (by: number): Float32Array => moves.map((value, at) => (at === i ? value + by : value));
    return (loss(moved(step)) - loss(moved(-step))) / (2 * step);
  });
  // Positions that cross a pixel's centre between the two differences see two slopes.
  expect(gradient).toBeAllclose(differences, { atol: 0.05, rtol: 0.02 });
});
