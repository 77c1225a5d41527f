import fc from "fast-check";
import { expect, test } from "vitest";
import { createScale, type ScaleKind } from "./scale.ts";

const kinds = fc.constantFrom<ScaleKind>("linear", "log", "share");

test("positions grow with values, within the range, whatever the values are", () => {
  fc.assert(
    fc.property(
      kinds,
      fc.array(fc.double(), { maxLength: 8 }),
      fc.integer({ min: 1, max: 12 }),
      (kind, values, parts) => {
        const scale = createScale({ kind, values, range: [50, 650], parts });
        const shown = values.filter((value) => Number.isFinite(scale.position(value))).sort((a, b) => a - b);
        expect(shown.length).toBe(values.filter((v) => Number.isFinite(v) && (kind !== "log" || v > 0)).length);
        const positions = shown.map(scale.position);
        positions.forEach((position, i) => {
          expect(position).toBeGreaterThanOrEqual(positions[i - 1] ?? 50);
          expect(position).toBeLessThanOrEqual(650);
        });
        expect(scale.ticks.length).toBeGreaterThanOrEqual(2);
        for (const { value } of scale.ticks) expect(Number.isFinite(scale.position(value))).toBe(true);
        expect(scale.position(scale.domain[0])).toBe(50);
        expect(scale.position(scale.domain[1])).toBe(650);
      },
    ),
    { numRuns: 500 },
  );
});

test("an axis may run the other way round", () => {
  const scale = createScale({ kind: "share", values: [0.5], range: [300, 100], parts: 4 });
  expect([0, 0.25, 1].map(scale.position)).toEqual([300, 250, 100]);
  expect(scale.ticks.map(({ label }) => label)).toEqual(["0", "50", "100"]);
});

test("equal decades are equally wide on a log scale", () => {
  const { position } = createScale({ kind: "log", values: [0.01, 10], range: [0, 300], parts: 3 });
  expect([0.01, 0.1, 1, 10].map(position)).toBeAllclose([0, 100, 200, 300], { atol: 1e-9 });
});
