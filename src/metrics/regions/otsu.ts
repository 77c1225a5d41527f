/** @file The threshold that parts values into two groups best. */
import { OptionError } from "../../core/errors.ts";

/** Values and how often each occurs, ascending. */
interface Histogram {
  readonly centres: readonly number[];
  readonly counts: readonly number[];
}

/**
 * The threshold with the largest variance between the values above it and the others.
 * @param values bytes have one bin a grey value, floats `bins` even ones (256 when left out) between smallest and largest.
 * @returns the centre of the last bin of the lower group: `value > threshold` is the upper one. All values when they are
 * equal. @throws OptionError without values, or when one is not finite.
 * @source Otsu 1979, "A threshold selection method from gray-level histograms", eq. 14.
 */
export function otsuThreshold(values: Uint8Array | Float32Array | Float64Array, bins = 256): number {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  if (!Number.isFinite(low) || !Number.isFinite(high)) {
    throw new OptionError(`otsu: expected finite values, got ${values.length === 0 ? "none" : `${low} to ${high}`}.`);
  }
  if (low === high) return low;
  const { centres, counts } =
    values instanceof Uint8Array ? greyLevels(values, [low, high]) : evenBins(values, [low, high], bins);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const moment = counts.reduce((sum, count, i) => sum + count * (centres[i] ?? 0), 0);
  let [below, momentBelow, best, threshold] = [0, 0, -1, low];
  for (let i = 0; i < counts.length - 1; i++) {
    below += counts[i] ?? 0;
    momentBelow += (counts[i] ?? 0) * (centres[i] ?? 0);
    const above = total - below;
    const between = below * above * (momentBelow / below - (moment - momentBelow) / above) ** 2;
    if (!(between > best)) continue;
    best = between;
    threshold = centres[i] ?? low;
  }
  return threshold;
}

function greyLevels(values: Uint8Array, [low, high]: readonly [number, number]): Histogram {
  const counts = new Array<number>(high - low + 1).fill(0);
  for (const value of values) counts[value - low] = (counts[value - low] ?? 0) + 1;
  return { centres: counts.map((_, i) => low + i), counts };
}

/** Every bin holds its lower edge, the last one both. */
function evenBins(
  values: Float32Array | Float64Array,
  [low, high]: readonly [number, number],
  bins: number,
): Histogram {
  const edges = Array.from({ length: bins + 1 }, (_, i) => (i === bins ? high : low + (i * (high - low)) / bins));
  const counts = new Array<number>(bins).fill(0);
  for (const value of values) {
    let bin = Math.min(Math.floor(((value - low) / (high - low)) * bins), bins - 1);
    if (value < (edges[bin] ?? low)) bin -= 1;
    else if (bin < bins - 1 && value >= (edges[bin + 1] ?? high)) bin += 1;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { centres: counts.map((_, i) => ((edges[i] ?? low) + (edges[i + 1] ?? high)) / 2), counts };
}
