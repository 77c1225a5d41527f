/** @file What defences cost: accuracy against attack success, and time against what it buys. */
import { scatterChart } from "../charts/scatter-chart.ts";
import { type Block, figure, heading, paragraph } from "../page/tree.ts";
import type { Bench } from "./cells.ts";
import type { DefenceSummary } from "./summary.ts";

/** Beyond this many points no label finds a place. */
const MOST_LABELS = 60;

/** Two charts for each data set: a point for each defence, at its means over attacks. */
export function tradeOffBlocks(bench: Bench, summaries: readonly DefenceSummary[]): readonly Block[] {
  const charts = bench.grids.flatMap(({ data }) => {
    const own = summaries.filter((one) => one.data === data);
    const labels = own.length <= MOST_LABELS;
    const defended = own.filter(({ defence }) => !bench.undefended.has(defence));
    const points = (
      of: readonly DefenceSummary[],
      x: (one: DefenceSummary) => number | null,
      y: (one: DefenceSummary) => number | null,
    ): { x: number; y: number; label: string }[] =>
      of.flatMap((one) => {
        const [px, py] = [x(one), y(one)];
        return px === null || py === null ? [] : [{ x: px, y: py, label: one.defence }];
      });
    const kept = points(
      own,
      ({ attackSuccess }) => attackSuccess,
      ({ cleanAccuracy }) => cleanAccuracy,
    );
    // Without a defence, time and accuracy are of another order: the chart would show nothing else.
    const bought = points(
      defended,
      ({ seconds }) => seconds,
      ({ poisonedAccuracy }) => poisonedAccuracy,
    );
    if (kept.length === 0 && bought.length === 0) return [];
    return [
      figure(
        `trade-off-${data}`,
        scatterChart({
          title: `Attack success against clean accuracy, ${data}`,
          x: { label: "mean attack success", kind: "share" },
          y: { label: "mean clean accuracy", kind: "share", include: [] },
          series: [{ label: "defences", points: kept }],
          labels,
        }),
        "Best is the upper left corner.",
      ),
      figure(
        `cost-${data}`,
        scatterChart({
          title: `Poisoned accuracy against time, ${data}`,
          x: { label: "seconds an image", kind: "log" },
          y: { label: "mean poisoned accuracy", kind: "share", include: [] },
          series: [{ label: "defences", points: bought }],
          labels,
        }),
        "Best is the upper left corner. Seconds include the classifier's queries and belong to the host that is named below.",
      ),
    ];
  });
  if (charts.length === 0) return [];
  return [heading(2, "Trade-offs"), paragraph("Each point is a defence, at its means over attacks."), ...charts];
}
