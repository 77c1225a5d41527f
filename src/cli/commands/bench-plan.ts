/** @file A plan as `--dry-run` shows it: every cell, what it needs, and what is done already. */
import { type ExpandedPlan, nameDefence, nameMethod } from "../../jobs/bench/expand.ts";
import type { CellJob } from "../../jobs/bench/job.ts";
import type { BenchRow } from "../../results/bench-row.ts";
import type { Console } from "../console.ts";
import { formatTable } from "../table.ts";

/** Shows cells without computing any. */
export function showPlan(
  cells: readonly CellJob[],
  plan: Pick<ExpandedPlan, "models">,
  run: {
    readonly console: Console;
    readonly json: boolean;
    readonly ended: ReadonlyMap<string, BenchRow["status"]>;
    readonly seconds: number;
  },
): void {
  const { console, json, ended, seconds } = run;
  const count = (status: BenchRow["status"]): number => cells.filter(({ key }) => ended.get(key) === status).length;
  const models = [...new Set(cells.map(({ model }) => model))].filter((key) => plan.models.has(key)).length;
  if (json) {
    const document = {
      schema: "untrigger/bench-run@1",
      cells: cells.length,
      done: count("done"),
      failed: count("failed"),
      results: null,
      report: null,
      seconds,
      models,
      plan: cells.map(({ key, data, attack, defence, prior, seed }) => ({
        cell: key,
        data: data.name,
        split: data.split,
        images: data.images.count,
        attack,
        defence,
        precision: prior?.precision ?? null,
        seed,
        status: ended.get(key) ?? null,
      })),
    };
    console.out(`${JSON.stringify(document)}\n`);
    return;
  }
  const lines = cells.map(({ key, data, attack, defence, prior, seed }) => [
    key.slice(0, 12),
    `${data.name}/${data.split}`,
    nameMethod(attack),
    nameDefence({ defence, prior }),
    `seed ${seed}`,
    ended.get(key) ?? "",
  ]);
  console.out(formatTable(lines));
  console.out(`${cells.length} cells, ${count("done")} done, ${models} models to train.\n`);
}
