/**
 * @file Diffusion priors with and without a backdoor, by `bench/plans/priors.yaml`: trained, attacked, audited, and what
 * purifiers make of them. What is done already under `--out` is not done again. Rows go to `docs/results/priors.jsonl`.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openPriorAt, openRuntime } from "untrigger/node";
import { encodePng } from "../src/images/node.ts";
import { badDiffusionRecord } from "../src/results/baddiffusion-record.ts";
import { type AuditedOne, auditPlanned } from "./priors/audit-one.ts";
import { consequences } from "./priors/consequence.ts";
import { type PlannedPrior, readPriorsPlan } from "./priors/plan.ts";
import { prunePlanned } from "./priors/prune-one.ts";
import { type ConsequenceRow, type PriorRow, priorsPage, readPriorRows } from "./priors/rows.ts";
import { foundSheet } from "./priors/sheet.ts";
import { trainPlanned } from "./priors/train.ts";

/** Side of a small prior's images. */
const HALF = 14;

const ROWS = "docs/results/priors.jsonl";

/**
 * Flags: `--out FOLDER`, `--plan FILE`, `--threads 1`, `--only TEXT` (of names), `--save`. With `--only`, rows of other priors stay
 * as they were saved, and so does the picture.
 */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      out: { type: "string", default: "out/priors" },
      plan: { type: "string", default: "bench/plans/priors.yaml" },
      threads: { type: "string", default: "1" },
      only: { type: "string", default: "" },
      save: { type: "boolean", default: false },
    },
  });
  const { out, threads, only } = values;
  const plan = await readPriorsPlan(values.plan);
  const runtime = await openRuntime({ device: "cpu", threads: Number(threads) }, console.error);
  const rows: (PriorRow | ConsequenceRow)[] = [];
  const found: { name: string; audited: AuditedOne }[] = [];
  const chosen = plan.priors.filter(({ name }) => name.includes(only));
  for (const planned of chosen) await trainPlanned(planned, plan, out, threads);
  for (const planned of chosen) {
    const audited = await auditPlanned(planned, { out, runtime, threads: Number(threads) });
    const pruning =
      planned.pruned === undefined
        ? null
        : await prunePlanned(planned, { out, target: planned.pruned, runtime, threads: Number(threads) });
    rows.push({ ...(await rowOf(planned, audited, { out, runtime })), pruning });
    if (planned.data === undefined) found.push({ name: planned.name, audited });
    console.log(`${planned.name}: score ${audited.measure.score.toFixed(2)}`);
  }
  for (const planned of chosen.filter(({ use }) => use === "consequence")) {
    rows.push(...(await consequences(planned, { out, runtime })));
  }
  console.log(priorsPage(rows));
  if (!values.save) return;
  const saved = only === "" ? rows : joined(readPriorRows(await readFile(ROWS, "utf8")), rows);
  await mkdir("docs/results", { recursive: true });
  await writeFile(ROWS, saved.map((row) => `${JSON.stringify(row)}\n`).join(""));
  await writeFile("docs/results/priors.md", priorsPage(saved));
  if (only === "") await writeFile("docs/images/priors.png", await encodePng(foundSheet(found, HALF)));
}

/** Rows with new ones in the place of those of the same prior, else at the end. */
function joined(
  known: readonly (PriorRow | ConsequenceRow)[],
  fresh: readonly (PriorRow | ConsequenceRow)[],
): (PriorRow | ConsequenceRow)[] {
  const names = new Set(fresh.map(nameOf));
  return [...known.filter((row) => !names.has(nameOf(row))), ...fresh];
}

/** What a row is about; those of purifiers are all of one prior. */
function nameOf(row: PriorRow | ConsequenceRow): string {
  return row.schema === "untrigger/prior-row@1" ? row.planned.name : row.schema;
}

async function rowOf(
  planned: PlannedPrior,
  { measure, targetSsim, guessSsim, seconds }: Awaited<ReturnType<typeof auditPlanned>>,
  { out, runtime }: { readonly out: string; readonly runtime: Awaited<ReturnType<typeof openRuntime>> },
): Promise<Omit<PriorRow, "pruning">> {
  const folder = join(out, planned.name);
  const training = JSON.parse(await readFile(join(folder, "training.json"), "utf8"));
  const attack = badDiffusionRecord.safeParse(training);
  const prior = await openPriorAt(folder, runtime);
  const { channels, height, width } = prior.dims;
  await prior.dispose();
  const { score, error, diversity, agreement, settings } = measure;
  return {
    schema: "untrigger/prior-row@1",
    planned,
    dims: `${channels}x${height}x${width}`,
    parameters: training.parameters,
    visits: training.steps * training.options.batch,
    specificity: attack.success ? attack.data.specificity : [],
    utility: attack.success ? attack.data.utility : null,
    audit: { score, error, diversity, agreement, settings, targetSsim, guessSsim, seconds },
  };
}
