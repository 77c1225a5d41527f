/** @file TrojAI's polygons: random corners round a centre, filled. */
import { uniforms } from "../../core/noise.ts";

/** A corner of a polygon within a square, both in [0, 1]. */
export interface Corner {
  readonly x: number;
  readonly y: number;
}

/**
 * A polygon drawn from the seed: corners uniform in [0.1, 0.9], in the order of their angle about their mean, turned by a
 * multiple of five degrees and stretched to fill the square.
 * @source trojai/trojai, `datagen/polygon_trigger.py`.
 */
export function drawPolygon(seed: number, corners: number): Corner[] {
  const draws = uniforms(seed, "polygon", 0, 2 * corners + 1);
  const points = Array.from({ length: corners }, (_, i) => ({
    x: 0.1 + 0.8 * (draws[2 * i] ?? 0),
    y: 0.1 + 0.8 * (draws[2 * i + 1] ?? 0),
  }));
  const centre = { x: mean(points.map(({ x }) => x)), y: mean(points.map(({ y }) => y)) };
  const angle = (Math.floor(72 * (draws[2 * corners] ?? 0)) * 5 * Math.PI) / 180;
  const around = points
    .map(({ x, y }) => ({ x: x - centre.x, y: y - centre.y }))
    .sort((a, b) => Math.atan2(a.y, a.x) - Math.atan2(b.y, b.x))
    .map(({ x, y }) => ({
      x: x * Math.cos(angle) - y * Math.sin(angle),
      y: x * Math.sin(angle) + y * Math.cos(angle),
    }));
  const stretch = (values: readonly number[]): ((value: number) => number) => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return (value) => (high > low ? (value - low) / (high - low) : 0.5);
  };
  const [across, down] = [stretch(around.map(({ x }) => x)), stretch(around.map(({ y }) => y))];
  return around.map(({ x, y }) => ({ x: across(x), y: down(y) }));
}

/** Which pixels of a square of `side` pixels have their centre inside a polygon: `side * side` ones and zeros. */
export function fillPolygon(corners: readonly Corner[], side: number): Uint8Array {
  return Uint8Array.from({ length: side * side }, (_, i) => {
    const [x, y] = [((i % side) + 0.5) / side, (Math.floor(i / side) + 0.5) / side];
    const crossings = corners.filter((a, k) => {
      const b = corners[(k + 1) % corners.length] ?? a;
      return a.y > y !== b.y > y && x < ((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x;
    });
    return crossings.length % 2;
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
