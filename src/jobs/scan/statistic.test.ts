import { describe, expect, test } from "vitest";
import { uniforms } from "../../core/noise.ts";
import type { ClassMeasure, ModelMeasures } from "./measures.ts";
import { compareModels, leastPValue } from "./statistic.ts";

/** A model of three classes or more, of which the third is easy to reach in every one. */
function model(
  seed: number,
  change: (measure: ClassMeasure) => Partial<ClassMeasure> = () => ({}),
  count = 3,
): ModelMeasures {
  const classes = Array.from({ length: count }, (_, k) => {
    const [a = 0, b = 0, c = 0, d = 0] = uniforms(seed, "test/scan", k, 4);
    const easy = k === 2 ? 0.4 : 0;
    const measure = {
      class: k,
      success: 0.4 + easy + 0.1 * a,
      carried: 0.2 + 0.1 * b,
      norm: (2 - easy) * (1 + 0.1 * c),
      mask: (40 - 50 * easy) * (1 + 0.1 * d),
      warp: 0.04 * c,
      drift: [0.05 * a, 0.05 * b],
    };
    return { ...measure, ...change(measure) };
  });
  return { accuracy: 0.9, classes };
}

const references = Array.from({ length: 19 }, (_, i) => model(i + 1));

describe("compareModels", () => {
  test("a class whose trigger is small stands out, and a naturally easy one does not", () => {
    const suspect = model(101, ({ class: k, norm, mask }) => (k === 1 ? { norm: norm / 2, mask: mask / 3 } : {}));
    const { classes, pValue, pValues } = compareModels(suspect, references);
    expect(pValue).toBe(1 / 20);
    expect(pValues[1]).toBe(1 / 20);
    expect(pValues[2]).toBeGreaterThan(0.05);
    expect(classes[1]!.trigger).toBeGreaterThan(classes[1]!.drift);
  });

  test("a class that disturbed images fall into stands out too", () => {
    const suspect = model(100, ({ class: k }) => (k === 0 ? { drift: [0, 0.9] } : {}));
    const { classes, pValue } = compareModels(suspect, references);
    expect(pValue).toBe(1 / 20);
    expect(classes[0]!.score).toBe(classes[0]!.drift);
  });

  test("of many classes, a model that is easy to move everywhere is not suspicious, and one class of it still is", () => {
    const many = Array.from({ length: 19 }, (_, i) => model(i + 1, undefined, 7));
    const easy = (measure: ClassMeasure) => ({ norm: measure.norm / 2, mask: measure.mask / 3 });
    expect(compareModels(model(100, easy, 7), many).pValue).toBeGreaterThan(0.05);
    const planted = (measure: ClassMeasure) => (measure.class === 4 ? { norm: 0.4, mask: 4 } : easy(measure));
    expect(compareModels(model(100, planted, 7), many).pValues[4]).toBe(1 / 20);
  });

  test("and one that a warp moves images to", () => {
    const suspect = model(100, ({ class: k }) => (k === 2 ? { warp: 0.9 } : {}));
    const { classes, pValue } = compareModels(suspect, references);
    expect(pValue).toBe(1 / 20);
    expect(classes[2]!.score).toBe(classes[2]!.warp);
  });

  test("p-values are exact: each of twenty alike models has its own rank among the others", () => {
    const all = [model(50), ...references];
    const values = all.map(
      (one, i) =>
        compareModels(
          one,
          all.filter((_, other) => other !== i),
        ).pValue,
    );
    const expected = Array.from({ length: 20 }, (_, i) => (i + 1) / 20);
    expect(values.sort((a, b) => a - b).map((p) => p.toFixed(2))).toEqual(expected.map((p) => p.toFixed(2)));
  });

  test("less norm, less mask and more success never lower a class's score", () => {
    const scoreOf = (change: (measure: ClassMeasure) => Partial<ClassMeasure>): number =>
      compareModels(model(7, change), references).classes[1]!.score;
    const before = scoreOf(() => ({}));
    expect(scoreOf(({ norm }) => ({ norm: norm / 1.5 }))).toBeGreaterThanOrEqual(before);
    expect(scoreOf(({ mask }) => ({ mask: mask / 1.5 }))).toBeGreaterThanOrEqual(before);
    expect(scoreOf(() => ({ success: 1 }))).toBeGreaterThanOrEqual(before);
  });

  test("the order of the references does not matter", () => {
    const suspect = model(60);
    expect(compareModels(suspect, [...references].reverse()).pValue).toBe(compareModels(suspect, references).pValue);
  });

  test("looks at the suspect's classes alone, and refuses references that lack one", () => {
    const part = { ...model(9), classes: model(9).classes.slice(1) };
    expect(compareModels(part, references).classes.map((one) => one.class)).toEqual([1, 2]);
    expect(() => compareModels(model(9), [part, part])).toThrow(/measured for class 0/);
    expect(() => compareModels(model(9), [model(1)])).toThrow(/at least 2 reference/);
  });

  test("n references give 1 / (n + 1) at best", () => {
    expect(leastPValue(19)).toBe(0.05);
  });
});
