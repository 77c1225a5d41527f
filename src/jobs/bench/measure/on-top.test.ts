import { expect, test } from "vitest";
import { onTop } from "./on-top.ts";

test("one class stands on top, or none does", () => {
  const of = (...scores: (number | null)[]) => onTop(scores.map((score, i) => ({ class: i + 3, score })));
  expect(of(1, 4, 2)).toBe(4);
  expect(of(-5, null)).toBe(3);
  expect(of(1, 4, 4)).toBeNull();
  expect(of(null, Number.NaN)).toBeNull();
  expect(of()).toBeNull();
});
