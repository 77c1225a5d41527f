/** docs/results/inversion.md: what reconstructed triggers do, from the rows in docs/results/inversion.jsonl. */
import { benchOf } from "../src/report/bench/cells.ts";
import { formatFigure, formatShare } from "../src/report/numbers.ts";
import type { BenchDone, BenchRow } from "../src/results/bench-row.ts";

/** The page for these rows. */
export function inversionTable(rows: readonly BenchRow[]): string {
  const bench = benchOf(rows);
  const lines = bench.rows.flatMap((row) => {
    if (row.status !== "done") return [];
    const found = row.inversion?.classes.find((one) => one.class === row.target);
    if (found === undefined) return [];
    const cells = [
      bench.labelsOf(row).attack,
      methodOf(row),
      formatShare(found.success),
      formatFigure(found.l2),
      formatFigure(found.iou),
      found.sources,
    ];
    return [`| ${cells.join(" | ")} |`];
  });
  return [
    "# Reconstructed triggers",
    "",
    "What a trigger does that was reconstructed from a single clean image, on test images that do not show the target: the",
    "median one of the source images, with its 95 % Wilson interval, its size, and its overlap with the true trigger's footprint.",
    "Rendered by `npm run docs` from [inversion.jsonl](inversion.jsonl), which `untrigger bench bench/plans/inverters.yaml`",
    "computes; do not edit. `badnets` without a preset is the classifier that ships; the others are trained by the plan.",
    "",
    "| Attack | Method | ASR on other images | L2 | IoU | Sources |",
    "|---|---|---|---|---|---|",
    ...lines,
    "",
    "High success with little overlap is the rule: a search in L2 finds an equivalent, smeared trigger.",
    "",
  ].join("\n");
}

function methodOf({ defence: { name, options } }: BenchDone): string {
  return options["denoise"] === true ? `${name}, behind the denoiser` : name;
}
