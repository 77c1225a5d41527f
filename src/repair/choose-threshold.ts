/** @file The search for a threshold: as far as clean images allow. */
import type { CurvePoint } from "./repair.ts";

/** A threshold with what was measured on the way. */
export interface ChosenThreshold<Point extends CurvePoint> {
  /** The last point before accuracy fell too far; `undefined` when the first one already had. */
  readonly chosen: Point | undefined;
  readonly curve: readonly Point[];
}

/**
 * Goes from point to point, from weak to strong, until the accuracy on held images has fallen too far.
 * @param measure the point at a threshold. @param least the lowest accuracy that is taken.
 * @throws the signal's reason when aborted.
 */
export async function chooseThreshold<Point extends CurvePoint>(
  thresholds: readonly number[],
  measure: (at: number) => Promise<Point>,
  { least, signal }: { readonly least: number; readonly signal?: AbortSignal | undefined },
): Promise<ChosenThreshold<Point>> {
  const curve: Point[] = [];
  let chosen: Point | undefined;
  for (const at of thresholds) {
    signal?.throwIfAborted();
    const point = await measure(at);
    curve.push(point);
    if (point.accuracy < least) break;
    chosen = point;
  }
  return { chosen, curve };
}
