import { expect, test } from "vitest";
import { createByteCache } from "./image-cache.ts";

test("the least recently used goes first, and the bound holds", () => {
  const cache = createByteCache<number>(100);
  cache.set("a", 1, 40);
  cache.set("b", 2, 40);
  expect(cache.get("a")).toBe(1);
  cache.set("c", 3, 40);
  expect([cache.get("a"), cache.get("b"), cache.get("c"), cache.bytes]).toEqual([1, undefined, 3, 80]);
  cache.set("d", 4, 101);
  expect([cache.get("d"), cache.bytes]).toEqual([undefined, 80]);
  cache.set("a", 5, 10);
  expect([cache.get("a"), cache.bytes]).toEqual([5, 50]);
});
