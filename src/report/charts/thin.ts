/** @file Points of a long curve that can be told apart on a screen. */

type Point = readonly [x: number, y: number];

/** Series up to this length are drawn as they are. */
const FEW = 1500;

/**
 * Of each column of pixels the first, lowest, highest and last point, in their order: a line through them looks like the
 * line through all. Gaps (NaN) are kept. Short lists come back unchanged.
 */
export function thinned(points: readonly Point[]): readonly Point[] {
  if (points.length <= FEW) return points;
  const kept: Point[] = [];
  let from = 0;
  for (let i = 1; i <= points.length; i++) {
    if (i < points.length && columnOf(points[i]) === columnOf(points[from])) continue;
    kept.push(...extremes(points.slice(from, i)));
    from = i;
  }
  return kept;
}

/** Column of pixels of a point; gaps have one of their own. */
function columnOf(point: Point | undefined): number | undefined {
  if (point === undefined) return undefined;
  const [x, y] = point;
  return Number.isFinite(y) ? Math.floor(x) : undefined;
}

function extremes(column: readonly Point[]): readonly Point[] {
  if (column.length <= 4) return column;
  let [low, high] = [0, 0];
  column.forEach(([, y], i) => {
    if (y < (column[low]?.[1] ?? y)) low = i;
    if (y > (column[high]?.[1] ?? y)) high = i;
  });
  const chosen = new Set([0, Math.min(low, high), Math.max(low, high), column.length - 1]);
  return column.filter((_, i) => chosen.has(i));
}
