import { expect, test } from "vitest";
import { attackContext, CLASSES, ITEMS, trainingImages } from "../../test/support/attack-context.ts";
import { parseOptions } from "../core/descriptor.ts";
import { OptionError } from "../core/errors.ts";
import { chooseRows, poisonedSet } from "./poison.ts";
import { attacks } from "./registry.ts";

const all = Array.from({ length: 1000 }, (_, i) => i);
const choose = (ratio: number, seed = 1, eligible: readonly number[] = all) =>
  chooseRows("attack", { ratio, of: "training set", who: "odd images", eligible }, { items: 1000, seed });

test("a larger ratio takes the same rows and more, another seed takes others", () => {
  const [few, many] = [choose(0.05), choose(0.2)];
  expect([few.length, many.length]).toEqual([50, 200]);
  expect([...few].every((row) => many.includes(row))).toBe(true);
  expect(choose(0.05)).toEqual(few);
  expect(choose(0.05, 2)).not.toEqual(few);
  // A fair draw: the rows lie everywhere.
  expect(few.filter((row) => row < 500).length).toBeGreaterThan(15);
  expect(few.filter((row) => row < 500).length).toBeLessThan(35);
});

test("a row's chance does not depend on who else may be drawn", () => {
  const odd = all.filter((row) => row % 2 === 1);
  const amongOdd = [...choose(0.05, 1, odd)];
  const amongAll = new Set(choose(0.05));
  expect(amongOdd.length).toBe(50);
  // Those that are drawn among all rows come first among the odd ones too.
  expect([...amongAll].filter((row) => row % 2 === 1).every((row) => amongOdd.includes(row))).toBe(true);
});

test("says what ratio can be met", () => {
  const odd = all.filter((row) => row % 2 === 1);
  expect(() => choose(0.6, 1, odd)).toThrow(
    new OptionError(
      "attack: expected a poison ratio of at most 0.5, since 500 of 1000 training images are odd images, got 0.6.",
    ),
  );
  expect(choose(0.5, 1, odd)).toEqual(Int32Array.from(odd));
  expect(() => choose(1e-4)).toThrow("expected a poison ratio that makes at least one image of 1000 (odd images)");
  expect(choose(0).length).toBe(0);
});

test("covers carry the trigger with their own label, on classes that the attack spares", async () => {
  const data = trainingImages(ITEMS, [3, 28, 28]);
  const descriptor = attacks["trojai-polygon"];
  const options = parseOptions(descriptor, { sources: [1], target: 2, poisonRatio: 0.5, coverRatio: 0.1 });
  const attack = await descriptor.create(options, await attackContext(data));
  if (attack.how !== "poison") throw new Error("expected a poisoning");
  const { indices, labels, triggered } = await attack.poison({});
  const rows = [...indices].map((index, row) => ({
    shown: index % CLASSES,
    label: labels[row],
    triggered: triggered[row],
  }));
  expect(rows.filter((row) => row.triggered === 1).every(({ shown, label }) => shown === 1 && label === 2)).toBe(true);
  const covers = rows.filter((row) => row.triggered === 0);
  expect(covers.length).toBe(20);
  expect(covers.every(({ shown, label }) => shown === label && shown !== 1 && shown !== 2)).toBe(true);
});

test("poisoned rows of another training set are refused", () => {
  const data = trainingImages(20, [1, 28, 28]);
  const images = trainingImages(1, [1, 28, 30]).images;
  const rows = { indices: Int32Array.of(3), images, labels: Int32Array.of(0), triggered: Uint8Array.of(1) };
  expect(() => poisonedSet(data, rows)).toThrow(
    /expected rows of a training set \[20, 1, 28, 28\], got \[1, 1, 28, 30\]/,
  );
});
