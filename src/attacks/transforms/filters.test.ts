import { expect, test } from "vitest";
import { ShapeError } from "../../core/errors.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";
import { applyFilter, filterNames } from "./filters.ts";

const photo = float32(
  [1, 3, 6, 6],
  Float32Array.from({ length: 108 }, (_, i) => ((i * 37) % 101) / 100),
);
const planes = ({ data }: Float32Tensor): number[][] => [0, 1, 2].map((c) => [...data.subarray(36 * c, 36 * c + 36)]);
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const saturation = (image: Float32Tensor): number => {
  const [red = [], green = [], blue = []] = planes(image);
  return mean(red.map((r, i) => Math.max(r, green[i] ?? 0, blue[i] ?? 0) - Math.min(r, green[i] ?? 0, blue[i] ?? 0)));
};

test.each(filterNames)("%s keeps the range, changes the image, and is one function of the pixels", (name) => {
  const before = photo.data.slice();
  const filtered = applyFilter(photo, name);
  expect(photo.data).toEqual(before);
  expect(filtered.data.every((value) => value >= 0 && value <= 1)).toBe(true);
  expect(mean([...filtered.data].map((value, i) => Math.abs(value - (before[i] ?? 0))))).toBeGreaterThan(0.02);
  expect(applyFilter(photo, name).data).toEqual(filtered.data);
});

test("gotham takes colours away, kelvin leaves less blue than red, lomo darkens the corners", () => {
  expect(saturation(applyFilter(photo, "gotham"))).toBeLessThan(0.4 * saturation(photo));
  const [red = [], , blue = []] = planes(applyFilter(photo, "kelvin"));
  expect(mean(blue)).toBeLessThan(0.7 * mean(red));
  const white = float32([1, 3, 6, 6], new Float32Array(108).fill(1));
  const [lomo = []] = planes(applyFilter(white, "lomo"));
  expect(lomo[0]).toBeLessThan(0.5 * (lomo[14] ?? 0));
});

test("grey images are refused", () => {
  expect(() => applyFilter(float32([1, 1, 4, 4]), "gotham")).toThrow(ShapeError);
});
