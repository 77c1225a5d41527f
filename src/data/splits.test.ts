import { describe, expect, it } from "vitest";
import { tensor } from "../tensor/tensor.ts";
import { contentHash, heldOutRows, validationRows } from "./splits.ts";

const labelsOf = (count: number, classes: number): Uint16Array =>
  Uint16Array.from({ length: count }, (_, i) => (i * 7) % classes);

describe("rows that are held out", () => {
  it("are a tenth of every class, always the same ones", () => {
    const labels = labelsOf(1000, 5);
    const rows = validationRows({ labels });
    expect(rows).toEqual(validationRows({ labels }));
    expect(rows).toEqual([...new Set(rows)].sort((a, b) => a - b));
    for (let id = 0; id < 5; id++) expect(rows.filter((row) => labels[row] === id).length).toBe(20);
    // Drawn, not the first or the last.
    expect(rows[0]).toBeLessThan(100);
    expect(rows.at(-1)).toBeGreaterThan(900);
    expect(heldOutRows({ labels }, 0.1, "another draw")).not.toEqual(rows);
  });

  it("of one class do not depend on the other classes", () => {
    const labels = labelsOf(1000, 5);
    const own = validationRows({ labels }).filter((row) => labels[row] === 2);
    const others = labels.map((label) => (label === 2 ? 2 : 9));
    expect(validationRows({ labels: others }).filter((row) => others[row] === 2)).toEqual(own);
  });

  it("take whole groups and never all of a class", () => {
    const labels = Uint16Array.from({ length: 60 }, (_, i) => (i < 50 ? 0 : 1));
    const groups = Int32Array.from({ length: 60 }, (_, i) => (i < 50 ? Math.floor(i / 10) : 99));
    const rows = validationRows({ labels, groups });
    expect(rows.length).toBe(10);
    expect(new Set(rows.map((row) => groups[row])).size).toBe(1);
    expect(rows.some((row) => labels[row] === 1)).toBe(false);
    expect(validationRows({ labels: Uint16Array.of(3) })).toEqual([]);
    expect(heldOutRows({ labels: Uint16Array.of(3, 3) }, 1, "x").length).toBe(1);
  });
});

describe("contentHash", () => {
  const images = tensor("uint8", [2, 1, 1, 2], Uint8Array.of(1, 2, 3, 4));
  const labels = Uint16Array.of(0, 258);

  it("is SHA-256 over dims, pixels and labels, little-endian", () => {
    // sha256 of 02000000 01000000 01000000 02000000 01020304 00000201, by Python's hashlib
    expect(contentHash({ images, labels })).toBe("455c42f612ed0bb6ceb78194e2aff02cc7ed7750fa9cbc8ff8d5b6c298d1e65a");
  });

  it("changes with any of them", () => {
    const hash = contentHash({ images, labels });
    expect(contentHash({ images: { ...images, dims: [2, 1, 2, 1] }, labels })).not.toBe(hash);
    expect(contentHash({ images, labels: Uint16Array.of(0, 2) })).not.toBe(hash);
    expect(contentHash({ images: { ...images, data: Uint8Array.of(1, 2, 3, 5) }, labels })).not.toBe(hash);
  });
});
