import { expect, test } from "vitest";
import { LEAST_IMAGES, splitRows } from "./split-images.ts";

test("the images of both parts are different ones, the same for the same seed", () => {
  const { probe, learn } = splitRows(900, { seed: 3 });
  expect([probe.length, learn.length]).toEqual([256, 644]);
  expect(new Set([...probe, ...learn]).size).toBe(900);
  expect(splitRows(900, { seed: 3 })).toEqual({ probe, learn });
  expect(splitRows(900, { seed: 3, learn: 10 }).learn).toEqual(learn.slice(0, 10));
});

test("too few images are all looked at, and nothing learns from them", () => {
  expect(splitRows(1, { seed: 0 })).toEqual({ probe: [0], learn: [] });
  expect(splitRows(LEAST_IMAGES - 1, { seed: 0 }).learn).toEqual([]);
  expect(splitRows(LEAST_IMAGES, { seed: 0 }).learn.length).toBeGreaterThan(100);
});
