import { expect, test } from "vitest";
import { drawPolygon, fillPolygon } from "./polygon.ts";

test("a polygon fills its box, is the same for its seed, and others are others", () => {
  for (const corners of [3, 4, 9]) {
    const polygon = drawPolygon(1, corners);
    expect(polygon.length).toBe(corners);
    for (const axis of ["x", "y"] as const) {
      const values = polygon.map((corner) => corner[axis]);
      expect([Math.min(...values), Math.max(...values)]).toEqual([0, 1]);
    }
    expect(drawPolygon(1, corners)).toEqual(polygon);
    expect(drawPolygon(2, corners)).not.toEqual(polygon);
  }
});

test("filled are the pixels whose centre lies inside", () => {
  const triangle = [
    { x: 0, y: 0 },
    { x: 1, y: 0 },
    { x: 0, y: 1 },
  ];
  expect([...fillPolygon(triangle, 3)]).toEqual([1, 1, 0, 1, 0, 0, 0, 0, 0]);
  const square = [...triangle.slice(0, 2), { x: 1, y: 1 }, { x: 0, y: 1 }];
  expect([...fillPolygon(square, 4)]).toEqual(Array(16).fill(1));
});
