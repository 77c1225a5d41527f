import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gaussianPrior } from "../../test/support/gaussian-prior.ts";
import { openWith, testImages, testRun } from "../../test/support/purify-run.ts";
import { float32 } from "../tensor/tensor.ts";
import { fromMosaics, toMosaics } from "./mosaic.ts";
import { guidedState, handOverWeight, zip } from "./zip.ts";
import { grayOperator, poolOperator, rangeOf } from "./zip-operators.ts";

describe("zip operators", () => {
  it.each([grayOperator, poolOperator(2), poolOperator(3)])("$name: A+ A is an orthogonal projection", (operator) => {
    const values = fc.array(fc.integer({ min: -8, max: 8 }), { minLength: 105, maxLength: 105 });
    const dims = [1, 3, 5, 7];
    const inner = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
    fc.assert(
      fc.property(values, values, (left, right) => {
        const [x, y] = [float32(dims, left), float32(dims, right)];
        const [px, py] = [rangeOf(operator, x), rangeOf(operator, y)];
        expect(rangeOf(operator, px).data).toBeAllclose(px.data, { atol: 1e-5 });
        expect(operator.observe(px).data).toBeAllclose(operator.observe(x).data, { atol: 1e-5 });
        expect(inner(px.data, y.data)).toBeCloseTo(inner(x.data, py.data), 3);
      }),
      { numRuns: 30 },
    );
  });
});

describe("guided state", () => {
  it("shows exactly the observation in its range part, and x_t where guidance is over", () => {
    const [x, noisy, noise] = [testImages([2, 1, 6, 6]), testImages([2, 1, 6, 6]), float32([2, 1, 6, 6])];
    noisy.data.reverse();
    const operator = poolOperator(2);
    const observations = [{ operator, observed: rangeOf(operator, x) }];
    const guided = guidedState(noisy, noise, observations, { alphaBar: 1, weight: 0 });
    expect(operator.observe(guided).data).toBeAllclose(operator.observe(x).data, { atol: 1e-6 });
    const free = guidedState(noisy, noise, observations, { alphaBar: 1, weight: 1 });
    expect(free.data).toBeAllclose(noisy.data, { atol: 1e-6 });
  });

  it("hands over at lambda T, or as alphaBar to the power q", () => {
    const hard = { kind: "hard", lambda: 0.3 } as const;
    const at = (index: number) => handOverWeight(hard, index, { alphaBar: 0.5, total: 1000 });
    expect([at(999), at(300), at(299), at(0)]).toEqual([0, 0, 1, 1]);
    expect(handOverWeight({ kind: "soft", q: 2 }, 10, { alphaBar: 0.5, total: 1000 })).toBe(0.25);
  });
});

describe("zip", () => {
  it("leaves gray out on 1-channel images, and refuses it alone", async () => {
    const prior = gaussianPrior(1, 6, 6);
    const images = testImages([2, 1, 6, 6]);
    const [both, pool] = await Promise.all(
      [["gray", "pool"], ["pool"]].map((operators) => openWith(zip, { operators }, { prior })),
    );
    expect(await both!.purify(images, testRun(2))).toEqual(await pool!.purify(images, testRun(2)));
    await expect(openWith(zip, { operators: ["gray"] }, { prior })).rejects.toThrow(
      /erases nothing of a 1-channel image/,
    );
  });

  it("tiles small images onto a larger prior and gives each its own noise", async () => {
    const prior = gaussianPrior(1, 8, 12);
    const purifier = await openWith(zip, { tile: true, scale: 4 }, { prior });
    const images = testImages([8, 1, 4, 4]);
    const together = await purifier.purify(images, testRun(8));
    expect(together.images.dims).toEqual(images.dims);
    // Pixels of this prior do not know each other, so here, and only here, neighbours do not matter.
    const alone = await purifier.purify(float32([1, 1, 4, 4], images.data.slice(0, 16)), testRun(1));
    expect(together.images.data.slice(0, 16)).toEqual(alone.images.data);
    const odd = purifier.purify(testImages([1, 1, 5, 4]), testRun(1));
    await expect(odd).rejects.toThrow(/sides divide the prior's 8x12, got 1x5x4/);
  });
});

describe("mosaics", () => {
  it("come apart as they were put together", () => {
    const small = fc.integer({ min: 1, max: 3 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), small, small, small, small, (n, c, h, rows, columns) => {
        const images = testImages([n, c, h, 2]);
        const mosaics = toMosaics(images, { rows, columns });
        expect(mosaics.dims).toEqual([Math.ceil(n / (rows * columns)), c, rows * h, columns * 2]);
        expect(fromMosaics(mosaics, images.dims, { rows, columns })).toEqual(images);
      }),
      { numRuns: 50 },
    );
  });

  it("places tiles in reading order", () => {
    const mosaics = toMosaics(float32([3, 1, 1, 1], [1, 2, 3]), { rows: 2, columns: 2 });
    expect([...mosaics.data]).toEqual([1, 2, 3, 1]);
  });
});
