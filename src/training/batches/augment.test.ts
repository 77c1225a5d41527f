import { describe, expect, test } from "vitest";
import { uniforms } from "../../core/noise.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";
import { type Augmentation, augment, augmentationOptions } from "./augment.ts";
import { cutOutInto, flipInto, rotateInto, translateInto } from "./kernels.ts";

const dims = [6, 2, 7, 9];
const [items, channels, height, width] = [6, 2, 7, 9];
const size = channels * height * width;
/** Above zero everywhere, so that zeros are what came from outside. */
const images = float32(
  dims,
  Float32Array.from(uniforms(1, "images", 0, items * size), (u) => 0.1 + 0.9 * u),
);
const plane = { channels, height, width };
const all: Augmentation = { crop: 3, flip: true, rotation: 30, cutOut: 4 };
const only = (changes: Partial<Augmentation>): Augmentation => ({ ...augmentationOptions.parse({}), ...changes });
const at = { seed: 5, step: 3 };
const rowsOf = ({ data }: Float32Tensor): Float32Array[] =>
  Array.from({ length: data.length / size }, (_, row) => data.slice(row * size, (row + 1) * size));
const first = images.data.slice(0, size);

describe("augmentation", () => {
  test("does nothing by default", () => {
    expect(augment(images, augmentationOptions.parse({}), at)).toEqual(images);
  });

  test("keeps dims and range, and leaves the images alone", () => {
    const before = images.data.slice();
    const changed = augment(images, all, at);
    expect(changed.dims).toEqual(dims);
    expect(changed.data).not.toEqual(before);
    for (const value of changed.data) {
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThanOrEqual(1);
    }
    expect(images.data).toEqual(before);
  });

  test("is a function of seed and step", () => {
    expect(augment(images, all, at)).toEqual(augment(images, all, at));
    expect(augment(images, all, at)).not.toEqual(augment(images, all, { ...at, step: 4 }));
    expect(augment(images, all, at)).not.toEqual(augment(images, all, { ...at, seed: 6 }));
  });

  test("changes a row in the same way whatever else is in the batch", () => {
    const two = float32([2, 2, 7, 9], images.data.slice(0, 2 * size));
    expect(rowsOf(augment(two, all, at))).toEqual(rowsOf(augment(images, all, at)).slice(0, 2));
    const other = images.data.slice().fill(0.5, size);
    expect(rowsOf(augment(float32(dims, other), all, at))[0]).toEqual(rowsOf(augment(images, all, at))[0]);
  });

  test.each<[string, Partial<Augmentation>]>([
    ["crop", { crop: 3 }],
    ["rotation", { rotation: 30 }],
    ["cutOut", { cutOut: 4 }],
  ])("%s alone changes all colours alike", (_name, changes) => {
    const grey = float32(dims, images.data.slice());
    for (const row of Array(items).keys()) grey.data.copyWithin(row * size + 63, row * size, row * size + 63);
    for (const row of rowsOf(augment(grey, only(changes), at))) expect(row.slice(63)).toEqual(row.slice(0, 63));
  });

  test("flip mirrors about half of the images", () => {
    const count = 400;
    const many = float32(
      [count, 1, 1, 2],
      Float32Array.from({ length: 2 * count }, (_, i) => i % 2),
    );
    const flipped = augment(many, only({ flip: true }), at).data.filter(
      (value, i) => i % 2 === 0 && value === 1,
    ).length;
    expect(Math.abs(flipped - count / 2)).toBeLessThan(5 * Math.sqrt(count / 4));
  });

  test("crop reaches every shift it may, and no other", () => {
    const count = 3000;
    const dot = float32([count, 1, 9, 9], new Float32Array(count * 81));
    for (let i = 0; i < count; i++) dot.data[i * 81 + 40] = 1;
    const moved = augment(dot, only({ crop: 2 }), at).data;
    const places = new Set<string>();
    for (let i = 0; i < count; i++) {
      const place = moved.subarray(i * 81, (i + 1) * 81).indexOf(1);
      places.add(`${Math.floor(place / 9) - 4},${(place % 9) - 4}`);
    }
    const shifts = [-2, -1, 0, 1, 2];
    expect([...places].sort()).toEqual(shifts.flatMap((down) => shifts.map((right) => `${down},${right}`)).sort());
  });

  test("cut-out takes at most its square, a quarter at a corner, and from everywhere", () => {
    const count = 2000;
    const full = float32([count, 1, 8, 8], new Float32Array(count * 64).fill(1));
    const cut = augment(full, only({ cutOut: 4 }), at).data;
    const areas = Array.from(
      { length: count },
      (_, i) => 64 - cut.subarray(i * 64, (i + 1) * 64).reduce((a, b) => a + b),
    );
    expect(Math.max(...areas)).toBe(16);
    expect(Math.min(...areas)).toBe(4);
    for (let place = 0; place < 64; place++) {
      expect(Array.from({ length: count }, (_, i) => cut[i * 64 + place]!).some((value) => value === 0)).toBe(true);
    }
  });
});

describe("single changes", () => {
  const changed = (change: (x: Float32Array) => void): Float32Array => {
    const x = first.slice();
    change(x);
    return x;
  };

  test("flipped twice is as it was; once, rows are reversed", () => {
    expect(changed((x) => [flipInto(x, plane), flipInto(x, plane)])).toEqual(first);
    expect(changed((x) => flipInto(x, plane)).slice(9, 18)).toEqual(first.slice(9, 18).reverse());
  });

  test("turned by nothing is as it was", () => {
    expect(changed((x) => rotateInto(x, plane, 0))).toEqual(first);
  });

  test("a square turned four times by a right angle is as it was, and once as one expects", () => {
    const square = { channels: 1, height: 5, width: 5 };
    const x = Float32Array.from({ length: 25 }, (_, i) => i);
    rotateInto(x, square, Math.PI / 2);
    const turned = Float32Array.from({ length: 25 }, (_, i) => 5 * (i % 5) + (4 - Math.floor(i / 5)));
    const back = Float32Array.from({ length: 25 }, (_, i) => 5 * (4 - (i % 5)) + Math.floor(i / 5));
    const isEither = [turned, back].some((expected) => expected.every((value, i) => Math.abs(value - x[i]!) < 1e-4));
    expect(isEither).toBe(true);
    for (let turn = 0; turn < 3; turn++) rotateInto(x, square, Math.PI / 2);
    expect(x).toBeAllclose(
      Float32Array.from({ length: 25 }, (_, i) => i),
      { atol: 1e-3 },
    );
  });

  test("turned forth and back, the middle of a smooth picture stays", () => {
    const square = { channels: 1, height: 21, width: 21 };
    const smooth = Float32Array.from({ length: 441 }, (_, i) => Math.sin(i / 210) + Math.cos((i % 21) / 10));
    const x = smooth.slice();
    rotateInto(x, square, 0.3);
    expect(x[10 * 21 + 10]).toBeCloseTo(smooth[10 * 21 + 10]!, 5);
    rotateInto(x, square, -0.3);
    for (const row of [8, 9, 10, 11, 12]) {
      const middle = [row * 21 + 8, row * 21 + 13] as const;
      expect(x.slice(...middle)).toBeAllclose(smooth.slice(...middle), { atol: 5e-3 });
    }
  });

  test("moved forth and back, only what left is lost", () => {
    const x = changed((y) => {
      translateInto(y, plane, { down: 2, right: -1 });
      translateInto(y, plane, { down: -2, right: 1 });
    });
    x.forEach((value, i) => {
      const [row, column] = [Math.floor(i / width) % height, i % width];
      expect(value).toBe(row < height - 2 && column > 0 ? first[i] : 0);
    });
  });

  test.each([
    [{ top: 1, left: 2, side: 3 }, 9],
    [{ top: -1, left: -2, side: 3 }, 2],
    [{ top: 5, left: 7, side: 3 }, 4],
    [{ top: 7, left: 0, side: 3 }, 0],
    [{ top: -9, left: -9, side: 99 }, 63],
  ])("a square %j sets %i pixels of every colour to zero", (square, area) => {
    const x = changed((y) => cutOutInto(y, plane, square));
    for (const colour of [0, 1]) {
      expect(x.slice(63 * colour, 63 * (colour + 1)).filter((value) => value === 0).length).toBe(area);
    }
    x.forEach((value, i) => {
      expect([0, first[i]]).toContain(value);
    });
  });
});
