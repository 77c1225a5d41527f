/** @file What `npm run bench -- priors` measured: rows, and the page of all rows. */
import { auroc, wilsonInterval } from "untrigger/metrics";
import { REACHED } from "../../src/jobs/audit/measure-prior.ts";
import { formatFigure, formatShare } from "../../src/report/numbers.ts";
import type { AuditMeasure } from "../../src/results/audit-record.ts";
import type { BadDiffusionRecord, SpecificityMeasure } from "../../src/results/baddiffusion-record.ts";
import { readRowLines } from "../row-lines.ts";
import { markdownTable, median } from "../timing.ts";
import { isBackdoored, type PlannedPrior } from "./plan.ts";
import type { PrunedOne } from "./prune-one.ts";

/** One prior: how it was made, how well the attack took, what the audit measured. */
export interface PriorRow {
  readonly schema: "untrigger/prior-row@1";
  readonly planned: PlannedPrior;
  readonly dims: string;
  readonly parameters: number;
  /** Images that it learned from, counted as often as they were seen. */
  readonly visits: number;
  readonly specificity: readonly SpecificityMeasure[];
  readonly utility: BadDiffusionRecord["utility"];
  /** Null where it was not audited. */
  readonly audit: {
    readonly score: number;
    readonly error: number;
    readonly diversity: AuditMeasure["diversity"];
    readonly agreement: AuditMeasure["agreement"];
    readonly settings: AuditMeasure["settings"];
    readonly targetSsim: number | null;
    readonly guessSsim: number | null;
    readonly seconds: number;
  } | null;
  /** Null where its channels were not disturbed. */
  readonly pruning: PrunedOne | null;
}

/** What a purifier does with a prior. */
export interface ConsequenceRow {
  readonly schema: "untrigger/prior-consequence@1";
  readonly method: string;
  readonly preset: string;
  readonly prior: "clean" | "backdoored";
  readonly images: number;
  /** What goes in: clean images, images with the classifier's trigger, with the prior's trigger, crafted ones. */
  readonly input: ConsequenceInput;
  /** The label is right. */
  readonly accuracy: number;
  /** The label is the classifier's backdoor target. */
  readonly attackSuccess: number;
  /** What comes out has an SSIM of .9 or more to the prior's target. */
  readonly reached: number;
  /** Mean SSIM of what comes out to the prior's target. */
  readonly targetSsim: number;
}

/** Kinds of inputs of a {@link ConsequenceRow}. */
export type ConsequenceInput = "clean" | "classifier's trigger" | "prior's trigger" | "crafted";

/** The rows of a `.jsonl` file. */
export const readPriorRows = readRowLines<PriorRow | ConsequenceRow>;

/** Whether an attack took: by one of the ways of sampling by DDPM half of the triggered samples reach the target. */
export function hasTaken({ specificity }: PriorRow): boolean {
  return specificity.some(
    ({ sampling, reached }) => sampling.sampler === "ddpm" && reached.hits >= reached.total / 2 && reached.total > 0,
  );
}

/** The page of `docs/results/priors.md`. */
export function priorsPage(all: readonly (PriorRow | ConsequenceRow)[]): string {
  const rows = all.filter((row): row is PriorRow => row.schema === "untrigger/prior-row@1");
  const consequences = all.filter((row): row is ConsequenceRow => row.schema === "untrigger/prior-consequence@1");
  const attacked = rows.filter(({ planned }) => isBackdoored(planned));
  const audited = rows.filter(({ audit, planned }) => audit !== null && planned.use === "evaluation");
  return [
    "# Diffusion priors with a backdoor, and their audit",
    "",
    "Rendered by `npm run docs` from [priors.jsonl](priors.jsonl), which `npm run bench -- priors` measures by",
    "`bench/plans/priors.yaml`; do not edit. Fashion-MNIST; small priors at 14x14 pixels (means of four), fine-tuned ones from one",
    "clean prior. Where shares are given, brackets hold 95 % Wilson intervals.",
    "",
    "## The attack",
    "",
    `Triggered samples by DDPM of all steps, with nothing clipped, with the predicted image clipped (the authors' code) and with`,
    `the state clipped (the paper's equation), and by DDIM of 50 steps: mean SSIM to the target, and how many reach ${REACHED}.`,
    "Fréchet distance of clean samples (DDIM of 50 steps), before and after; distances of the small priors and of the shipped one",
    "do not compare.",
    "",
    attackTable(attacked),
    "",
    "## By poison rate",
    "",
    "Grey box to corner, the same prior, visits and recipe; seeds differ.",
    "",
    rateTable(attacked.filter(isOfCurve)),
    "",
    "## The audit",
    "",
    ...auditPart(audited),
    ...developmentPart(rows),
    "## Adversarial neuron pruning",
    "",
    "Scales and shifts of all channels climb the loss on clean images (budget 1, bound as in the paper, Adam .001, 5 epochs of 20 steps",
    "of 32 images); after each epoch samples from plain noise are held against the target. A backdoor that comes to light has a small MSE.",
    "",
    pruningTable(rows),
    "",
    "## What a backdoored prior does to a purifier",
    "",
    ...consequencePart(consequences),
  ].join("\n");
}

const WAYS = ["not clipped", "image clipped", "state clipped", "DDIM 50"];

function attackTable(rows: readonly PriorRow[]): string {
  return markdownTable(
    ["Prior", "Trigger", "Target", "Rate", "Visits", ...WAYS, "Fréchet", "Took"],
    rows.map((row) => [
      row.planned.name,
      row.planned.trigger ?? "",
      row.planned.target ?? "",
      percent(row.planned.rate),
      String(row.visits),
      ...WAYS.map((_, i) => nearnessOf(row.specificity[i])),
      frechetOf(row),
      hasTaken(row) ? "yes" : "no",
    ]),
  );
}

function isOfCurve({ planned: { trigger, target, from, data } }: PriorRow): boolean {
  return trigger === "grey-box" && target === "corner" && from !== undefined && data === undefined;
}

function rateTable(rows: readonly PriorRow[]): string {
  const sorted = [...rows].sort((a, b) => (a.planned.rate ?? 0) - (b.planned.rate ?? 0));
  return markdownTable(
    ["Rate", "MSE, not clipped", "MSE, image clipped", "MSE, state clipped", "Fréchet after / before"],
    sorted.map(({ planned, specificity, utility }) => [
      percent(planned.rate),
      ...[0, 1, 2].map((i) => formatFigure(specificity[i]?.mse ?? null)),
      utility?.before ? (utility.after.distance / utility.before.distance).toFixed(2) : "",
    ]),
  );
}

function percent(rate: number | undefined): string {
  return rate === undefined ? "" : `${Math.round(100 * rate)} %`;
}

function nearnessOf(measure: SpecificityMeasure | undefined): string {
  return measure === undefined
    ? ""
    : `${measure.ssim.toFixed(2)} (${measure.reached.hits} of ${measure.reached.total})`;
}

function frechetOf({ utility }: PriorRow): string {
  if (utility === null) return "";
  const { before, after } = utility;
  return before === null
    ? formatFigure(after.distance)
    : `${formatFigure(before.distance)} to ${formatFigure(after.distance)}`;
}

/** A prior of the evaluation with its score. */
interface Judged {
  readonly row: PriorRow;
  readonly score: number;
}

function auditPart(rows: readonly PriorRow[]): string[] {
  const judged = rows.flatMap((row): Judged[] => (row.audit === null ? [] : [{ row, score: row.audit.score }]));
  const clean = judged.filter(({ row }) => !isBackdoored(row.planned));
  const taken = judged.filter(({ row }) => isBackdoored(row.planned) && hasTaken(row));
  const weak = judged.filter(({ row }) => isBackdoored(row.planned) && !hasTaken(row));
  const highest = Math.max(...clean.map(({ score }) => score));
  const above = (list: readonly Judged[]): string =>
    list.length === 0
      ? "–"
      : `${formatShare({ hits: list.filter(({ score }) => score > highest).length, total: list.length })}`;
  const apart = (list: readonly Judged[]): string =>
    list.length === 0 || clean.length === 0
      ? "–"
      : auroc(
          [...list, ...clean].map(({ score }) => score),
          [...list, ...clean].map((_, i) => i < list.length),
        ).toFixed(3);
  const { high } = wilsonInterval({ hits: 0, total: clean.length });
  const seconds = median(judged.map(({ row }) => row.audit?.seconds ?? 0));
  return [
    `${clean.length} clean priors and ${taken.length + weak.length} backdoored ones that nothing was chosen on; ${taken.length} of the backdoors took.`,
    "",
    markdownTable(
      ["", "Backdoors that took", "All", ""],
      [
        ["AUROC", apart(taken), apart([...taken, ...weak]), ""],
        [
          "above every clean prior",
          above(taken),
          above([...taken, ...weak]),
          `0 of ${clean.length} clean ones, a rate of at most ${(100 * high).toFixed(0)} %`,
        ],
      ],
    ),
    "",
    `A score above those of all ${clean.length} clean priors has a p-value of ${(1 / (clean.length + 1)).toFixed(3)}: the rate of clean ones that such a`,
    `threshold accuses, by the ranks alone. Median time of an audit: ${seconds.toFixed(0)} s on one core beside other work. SSIM: of what`,
    "the audit takes for the target to the true one, by the mean of its samples and by gradients alone.",
    "",
    markdownTable(
      ["Prior", "Score", "SSIM of the samples' mean", "SSIM by gradients", "Took"],
      [...judged]
        .sort((a, b) => b.score - a.score)
        .map(({ row, score }) => [
          row.planned.name,
          score.toFixed(2),
          row.audit?.targetSsim?.toFixed(2) ?? "",
          row.audit?.guessSsim?.toFixed(2) ?? "",
          isBackdoored(row.planned) ? (hasTaken(row) ? "yes" : "no") : "clean",
        ]),
    ),
    "",
  ];
}

/** Priors that the rule was made with, or that are of another size. */
function developmentPart(rows: readonly PriorRow[]): string[] {
  const others = rows.filter(({ audit, planned }) => audit !== null && planned.use !== "evaluation");
  if (others.length === 0) return [];
  return [
    "Apart from these (looked at before the rule was fixed, or of another size):",
    "",
    markdownTable(
      ["Prior", "Pixels", "Score", "SSIM of the samples' mean", "Seconds"],
      others.map(({ planned, dims, audit }) => [
        planned.name,
        dims,
        audit?.score.toFixed(2) ?? "",
        audit?.targetSsim?.toFixed(2) ?? "",
        audit?.seconds.toFixed(0) ?? "",
      ]),
    ),
    "",
  ];
}

function pruningTable(rows: readonly PriorRow[]): string {
  return markdownTable(
    ["Prior", "Target of", "Diversity before", "MSE by epoch", "Diversity by epoch", "Clean loss by epoch"],
    rows.flatMap(({ planned, pruning }) => {
      if (pruning === null) return [];
      const { plain, epochs } = pruning;
      const series = (value: (epoch: (typeof epochs)[number]) => number | null): string =>
        epochs.map((epoch) => formatFigure(value(epoch))).join(", ");
      return [
        [
          planned.name,
          planned.pruned ?? "",
          formatFigure(plain),
          series(({ mse }) => mse),
          series(({ diversity }) => diversity),
          series(({ loss }) => loss),
        ],
      ];
    }),
  );
}

function consequencePart(rows: readonly ConsequenceRow[]): string[] {
  if (rows.length === 0) return ["Not measured.", ""];
  const share = (count: number, { images }: ConsequenceRow): string => formatShare({ hits: count, total: images });
  return [
    "Test images of other classes than the classifier's target, through each purifier with the clean prior and with the one",
    "backdoored from it. *Prior's trigger*: the grey box is stamped on the image. *Crafted*: the attacker's best case, an image",
    "that, diffused as the purifier does it, lies where the prior was trained to go to its target.",
    "",
    markdownTable(
      ["Purifier", "Input", "Prior", "Right label", "Classifier's target", "Reaches the prior's target", "SSIM to it"],
      rows.map((row) => [
        row.preset === "" ? row.method : `${row.method} ${row.preset}`,
        row.input,
        row.prior,
        share(row.accuracy, row),
        share(row.attackSuccess, row),
        share(row.reached, row),
        row.targetSsim.toFixed(2),
      ]),
    ),
    "",
  ];
}
