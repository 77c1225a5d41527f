/**
 * docs/results/recommended.md: which purifier is recommended, chosen from rows on validation images alone
 * (docs/results/recommended.jsonl, computed by `untrigger bench bench/plans/recommended.yaml`).
 */
import { benchOf } from "../src/report/bench/cells.ts";
import { type DefenceSummary, summarise } from "../src/report/bench/summary.ts";
import { formatCalls, formatPercent } from "../src/report/numbers.ts";
import type { BenchRow } from "../src/results/bench-row.ts";

/** A candidate may let through at most this share on average. */
const MOST_SUCCESS = 0.1;
/** Candidates whose accuracy differs by less are alike, and the cheaper one is taken. */
const ALIKE = 0.005;

/**
 * The choice: of the candidates whose mean attack success is low enough the highest mean poisoned accuracy; of those alike
 * in that, the fewest network calls.
 */
export function recommend(candidates: readonly DefenceSummary[]): DefenceSummary | undefined {
  const holding = candidates.filter(({ attackSuccess }) => attackSuccess !== null && attackSuccess <= MOST_SUCCESS);
  const best = Math.max(...holding.map(({ poisonedAccuracy }) => poisonedAccuracy ?? 0));
  return holding
    .filter(({ poisonedAccuracy }) => (poisonedAccuracy ?? 0) > best - ALIKE)
    .sort((a, b) => (a.calls ?? 0) - (b.calls ?? 0))[0];
}

/** The page for these rows. @throws Error when a row is no validation row: nothing is chosen on test images. */
export function recommendedPage(rows: readonly BenchRow[]): string {
  const wrong = rows.find(({ data }) => data.split !== "validation");
  if (wrong !== undefined) throw new Error(`expected validation rows alone, got one of the ${wrong.data.split} split`);
  const bench = benchOf(rows);
  const candidates = summarise(bench).filter(({ defence }) => !bench.undefended.has(defence));
  const chosen = recommend(candidates);
  const [first] = bench.rows;
  const images = first?.status === "done" ? first.images : 0;
  return [
    "# What is recommended, and why",
    "",
    "Rendered by `npm run docs` from [recommended.jsonl](recommended.jsonl), which `untrigger bench bench/plans/recommended.yaml`",
    `computes; do not edit. Means over ${bench.grids[0]?.attacks.length ?? 0} attacks on ${images} validation images each, which no other table reports. The rule is in`,
    `\`scripts/recommended.ts\`: of the candidates with a mean attack success of at most ${formatPercent(MOST_SUCCESS)} the highest mean poisoned`,
    "accuracy; among those within half a point of it, the fewest network calls.",
    "",
    "| Candidate | Mean CA | Mean PA | Mean ASR | Gets through | Calls | |",
    "|---|---|---|---|---|---|---|",
    ...candidates.map(
      (one) =>
        `| ${one.defence} | ${formatPercent(one.cleanAccuracy)} | ${formatPercent(one.poisonedAccuracy)} | ${formatPercent(one.attackSuccess)} | ${one.getsThrough.join(", ")} | ${formatCalls(one.calls)} | ${one === chosen ? "**chosen**" : ""} |`,
    ),
    "",
    "Gets through: the whole 95 % interval of its success lies above 10 %.",
    "",
  ].join("\n");
}
