/** docs/results/scan.md: how well a scan tells models apart, from the rows in docs/results/scan.jsonl. */
import { auroc } from "../src/metrics/detection.ts";
import { benchOf } from "../src/report/bench/cells.ts";
import { formatDecimal, formatFigure, formatPValue, formatShare } from "../src/report/numbers.ts";
import type { BenchDone, BenchRow, BenchScan } from "../src/results/bench-row.ts";

/** A model with what was said about it. */
interface Scanned extends BenchDone {
  readonly scan: BenchScan;
}

/** The page for these rows. */
export function scanTable(rows: readonly BenchRow[]): string {
  const bench = benchOf(rows);
  const done = bench.rows.filter((row): row is BenchDone => row.status === "done");
  const scanned = done.filter((row): row is Scanned => row.scan !== null);
  const [clean, backdoored] = [scanned.filter(isClean), scanned.filter((row) => !isClean(row))];
  const bare = new Map(done.filter(({ scan }) => scan === null).map((row) => [row.classifierHash, row]));
  return [
    "# Scans",
    "",
    "How well `untrigger scan` tells backdoored Fashion-MNIST classifiers from clean ones, with the references of",
    "`models/fashion-mnist-references` and a stated rate of 5 %. Rendered by `npm run docs` from [scan.jsonl](scan.jsonl), which",
    "`untrigger bench bench/plans/scan.yaml` computes; do not edit. Nothing was chosen on these models: settings were chosen on",
    "`models/zoo`, which is left out. In brackets 95 % Wilson intervals.",
    "",
    `${backdoored.length} backdoored models of ${new Set(backdoored.map(({ attack }) => attack.name)).size} attacks, ${clean.length} clean ones.`,
    "",
    "| | The scan | Least masks alone, above 2 median deviations |",
    "|---|---|---|",
    `| AUROC, models | ${formatDecimal(apart(scanned, highestOf))} | ${formatDecimal(apart(scanned, ({ scan }) => scan.anomaly?.index ?? 0))} |`,
    `| AUROC, classes | ${formatDecimal(classesApart(scanned))} | |`,
    `| backdoored found | ${shareOf(backdoored, isAccused)} | ${shareOf(backdoored, isFlagged)} |`,
    `| of those, the target named | ${shareOf(backdoored.filter(isAccused), namesTarget)} | ${shareOf(backdoored.filter(isFlagged), flagsTarget)} |`,
    `| target on top, found or not | ${shareOf(backdoored, ({ scan }) => scan.topIsTarget === true)} | |`,
    `| clean accused | ${shareOf(clean, isAccused)} | ${shareOf(clean, isFlagged)} |`,
    `| undecided, of all | ${shareOf(scanned, ({ scan }) => scan.verdict === "undecided")} | |`,
    "",
    "Score: the highest of any class, in deviations. Index: of the smallest least mask.",
    "",
    "| Attack | Network | CA | ASR | Verdict | p | Score | Class on top | Target | Index | Flags |",
    "|---|---|---|---|---|---|---|---|---|---|---|",
    ...scanned.map((row) =>
      lineOf(row, { label: bench.labelsOf(row).attack, counts: bare.get(row.classifierHash)?.counts }),
    ),
    "",
  ].join("\n");
}

function lineOf(
  row: Scanned,
  { label, counts }: { readonly label: string; readonly counts: BenchDone["counts"] | undefined },
): string {
  const { verdict, pValue, top, anomaly } = row.scan;
  const cells = [
    label,
    networkOf(row),
    formatShare(counts?.cleanAccuracy ?? null),
    isClean(row) ? "" : formatShare(counts?.attackSuccess ?? null),
    verdict,
    formatPValue(pValue),
    formatFigure(highestOf(row)),
    top ?? "",
    row.target ?? "",
    anomaly === null ? "" : formatFigure(anomaly.index),
    anomaly?.flagged.join(", ") ?? "",
  ];
  return `| ${cells.join(" | ")} |`;
}

function networkOf({ network, seed }: BenchDone): string {
  if (network === null) return `seed ${seed}`;
  const { architecture, options, epochs } = network;
  const width = options["width"] === undefined ? "" : ` ${String(options["width"])}`;
  return `${architecture}${width}, ${epochs} ${epochs === 1 ? "epoch" : "epochs"}, seed ${network.seed}`;
}

function isClean({ attack }: BenchDone): boolean {
  return attack.name === "none";
}

function isAccused({ scan }: Scanned): boolean {
  return scan.verdict === "backdoored";
}

function namesTarget({ scan, target }: Scanned): boolean {
  return scan.targets.includes(target ?? -1);
}

function isFlagged({ scan }: Scanned): boolean {
  return (scan.anomaly?.flagged.length ?? 0) > 0;
}

function flagsTarget({ scan, target }: Scanned): boolean {
  return scan.anomaly?.flagged.includes(target ?? -1) === true;
}

function highestOf({ scan }: Scanned): number {
  return Math.max(...scan.classes.map(({ score }) => score ?? 0));
}

function apart(rows: readonly Scanned[], score: (row: Scanned) => number): number {
  return auroc(
    rows.map(score),
    rows.map((row) => !isClean(row)),
  );
}

/** True targets against all other classes of all models. */
function classesApart(rows: readonly Scanned[]): number {
  const classes = rows.flatMap(({ scan, target }) =>
    scan.classes.map(({ class: k, score }) => ({ score: score ?? 0, isTarget: k === target })),
  );
  return auroc(
    classes.map(({ score }) => score),
    classes.map(({ isTarget }) => isTarget),
  );
}

function shareOf(rows: readonly Scanned[], holds: (row: Scanned) => boolean): string {
  return formatShare({ hits: rows.filter(holds).length, total: rows.length });
}
