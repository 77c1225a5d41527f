/** docs/attacks.md: what every attack reaches without a defence, from the rows in docs/results/attacks.jsonl. */
import type { AttackDescriptor } from "../src/attacks/attack.ts";
import { attacks } from "../src/attacks/registry.ts";
import { rate } from "../src/metrics/count.ts";
import { benchOf } from "../src/report/bench/cells.ts";
import { formatPercent, formatShare } from "../src/report/numbers.ts";
import type { BenchDone, BenchRow } from "../src/results/bench-row.ts";

/** The page for these rows. */
export function attackTable(rows: readonly BenchRow[]): string {
  const bench = benchOf(rows);
  const done = bench.rows.filter((row) => row.status === "done");
  const blocks = bench.grids.flatMap(({ data }) => {
    const own = done.filter((row) => bench.labelsOf(row).data === data);
    const clean = own.find(({ attack }) => attack.name === "none");
    return [
      `## ${data}`,
      "",
      `A clean model trained alike: CA ${formatShare(clean?.counts.cleanAccuracy ?? null)}.`,
      "",
      "| Attack | Attacker has | CA | Points against clean | PA | ASR | ASR, all classes | Others report |",
      "|---|---|---|---|---|---|---|---|",
      ...own.filter((row) => row !== clean).map((row) => rowOf(row, { label: bench.labelsOf(row).attack, clean })),
      "",
    ];
  });
  return [
    "# Attacks",
    "",
    "What each attack reaches without a defence, on the test images. Rendered by `npm run docs` from",
    "[results/attacks.jsonl](results/attacks.jsonl), which `untrigger bench bench/plans/attacks.yaml` computes; do not edit. CA: clean",
    "images called by their label. PA and ASR: triggered images called by their label, or their target, without images of the",
    "target class. In brackets 95 % Wilson intervals. What others report was measured on other data and networks: it is here for",
    "orientation, and every page of an attack says what differs.",
    "",
    ...blocks,
  ].join("\n");
}

function rowOf(
  { attack, counts, published }: BenchDone,
  { label, clean }: { readonly label: string; readonly clean: BenchDone | undefined },
): string {
  const known: Readonly<Record<string, AttackDescriptor>> = attacks;
  const accuracy = counts.cleanAccuracy;
  const base = clean?.counts.cleanAccuracy ?? null;
  const change = accuracy === null || base === null ? "" : (100 * (rate(accuracy) - rate(base))).toFixed(1);
  return `| [${label}](attacks/${attack.name}.md) | ${known[attack.name]?.threat ?? ""} | ${formatShare(accuracy)} | ${change} | ${formatShare(counts.poisonedAccuracy)} | ${formatShare(counts.attackSuccess)} | ${formatShare(counts.attackSuccessAllClasses)} | ${othersOf(published)} |`;
}

function othersOf(published: BenchDone["published"]): string {
  if (published === null) return "";
  const { cleanAccuracy, attackSuccess, source } = published;
  const clean = cleanAccuracy === null ? "" : `CA ${formatPercent(cleanAccuracy)}, `;
  return `${clean}ASR ${formatPercent(attackSuccess)} (${source})`;
}
