/** @file A count as result rows hold it. */
import type { Count } from "../../metrics/count.ts";
import { wilsonInterval } from "../../metrics/intervals.ts";
import type { BenchShare } from "../../results/bench-row.ts";

/** A count with the ends of its 95 % interval; `null` of nothing. */
export function shareOf(count: Count): BenchShare | null {
  return count.total === 0 ? null : { ...count, ...wilsonInterval(count) };
}
