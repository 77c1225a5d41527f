/**
 * @file How well the purifiers work on real data: Fashion-MNIST's first test images of other classes than the target,
 * the shipped prior and the shipped backdoored classifier. Nothing was tuned on these images. Rows go to
 * `docs/results/purify-quality.jsonl`, the table to the `.md` beside it.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { targetOf } from "untrigger/attacks";
import { type Defence, type Evaluation, evaluate } from "untrigger/bench";
import { toProbabilities } from "untrigger/classifiers";
import { findCalibration, openPurifier, thresholdFrom } from "untrigger/jobs";
import { type Count, rate, wilsonInterval } from "untrigger/metrics";
import { readCalibration } from "untrigger/node";
import { float32 } from "untrigger/tensor";
import { type Assets, openAssets, PRIOR, testImages } from "./assets.ts";
import { markdownTable, timed } from "./timing.ts";

/** Method, preset, and on how many images: the ancestral chains are slow, so they see fewer. */
const plan = [
  { method: "none", preset: "", count: 500 },
  { method: "diffpure", preset: "recommended", count: 500 },
  { method: "diffpure", preset: "fast", count: 500 },
  { method: "diffpure", preset: "strong", count: 500 },
  { method: "sampdetox", preset: "recommended", count: 500 },
  { method: "sampdetox", preset: "official", count: 250 },
  { method: "sampdetox", preset: "paper", count: 100 },
  { method: "zip", preset: "recommended", count: 500 },
  { method: "zip", preset: "official", count: 250 },
  { method: "sancdifi", preset: "recommended", count: 250 },
  { method: "sancdifi", preset: "paper", count: 60 },
  { method: "shrink-pad", preset: "paper", count: 500 },
  { method: "zip-transform", preset: "paper", count: 500 },
];

interface Row {
  readonly method: string;
  readonly preset: string;
  readonly images: number;
  readonly counts: Record<"cleanAccuracy" | "poisonedAccuracy" | "attackSuccess" | "floor", Count>;
  readonly auroc: number | null;
  /** Share of clean images flagged at the shipped threshold, where there is one, with the rate it promises. */
  readonly falsePositives: Count | null;
  readonly truePositives: Count | null;
  readonly networkCallsPerImage: number;
  readonly secondsPerImage: number;
}

/** Runs the plan, or the part of it that `--only METHOD[:PRESET]` names. */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      threads: { type: "string", default: "2" },
      out: { type: "string", default: "docs/results" },
    },
  });
  const assets = await openAssets(Number(values.threads));
  const rows: Row[] = [];
  for (const cell of plan) {
    if (values.only !== undefined && ![cell.method, `${cell.method}:${cell.preset}`].includes(values.only)) continue;
    const row = await measure(assets, cell);
    rows.push(row);
    console.log(tableOf([row]).split("\n").at(-1));
  }
  if (values.only === undefined) await save(values.out, rows, assets);
}

async function measure(assets: Assets, { method, preset, count }: (typeof plan)[number]): Promise<Row> {
  const { classifier, prior, trigger } = assets;
  // 2,000 images hold more than 500 of the nine other classes.
  const all = await testImages(0, 2000, (label) => label !== targetOf(trigger.labels, label));
  const data = {
    images: float32([count, ...all.images.dims.slice(1)], all.images.data.slice(0, count * 784)),
    labels: all.labels.slice(0, count),
  };
  let defence: Defence;
  let networkCalls = (): number => 0;
  let threshold: number | undefined;
  if (method === "none") {
    defence = async (images) => ({
      scores: toProbabilities(await classifier.classify(images)),
      suspicion: new Float64Array(images.dims[0] ?? 0),
    });
  } else {
    const purifier = await openPurifier(method, { preset }, { prior, classifier });
    networkCalls = () => purifier.networkCalls;
    const calibration = await readCalibration(PRIOR);
    const scores = calibration === undefined ? undefined : findCalibration(calibration, purifier.key, classifier.hash);
    threshold = scores === undefined ? undefined : (thresholdFrom(scores, 0.05).value ?? undefined);
    defence = async (images, ids) => {
      const { scores, suspicion } = await purifier.purify(images, ids, { seed: 0 });
      if (scores === undefined) throw new Error("internal: no scores");
      return { scores: scores.after, suspicion };
    };
  }
  let result: Evaluation | undefined;
  const seconds = await timed(async () => {
    result = await evaluate(defence, data, trigger);
  });
  if (result === undefined) throw new Error("internal: no result");
  const { suspicion, auroc, ...counts } = result;
  const above = (scores: Float64Array): Count | null =>
    threshold === undefined ? null : { hits: scores.filter((s) => s > (threshold ?? 0)).length, total: scores.length };
  return {
    method,
    preset,
    images: count,
    counts,
    auroc: method === "none" ? null : auroc,
    falsePositives: above(suspicion.clean),
    truePositives: above(suspicion.triggered),
    networkCallsPerImage: networkCalls() / (2 * count),
    secondsPerImage: seconds / (2 * count),
  };
}

function tableOf(rows: readonly Row[]): string {
  const share = (count: Count | null): string => {
    if (count === null || count.total === 0) return "";
    const { low, high } = wilsonInterval(count);
    const percent = (value: number): string => (100 * value).toFixed(1);
    return `${percent(rate(count))} (${percent(low)}-${percent(high)})`;
  };
  return markdownTable(
    [
      "Method",
      "Preset",
      "Images",
      "CA %",
      "PA %",
      "ASR %",
      "Floor %",
      "AUROC",
      "Flagged clean %",
      "Flagged triggered %",
      "Calls",
      "s/image",
    ],
    rows.map((row) => [
      row.method,
      row.preset,
      String(row.images),
      share(row.counts.cleanAccuracy),
      share(row.counts.poisonedAccuracy),
      share(row.counts.attackSuccess),
      share(row.counts.floor),
      row.auroc === null ? "" : row.auroc.toFixed(3),
      share(row.falsePositives),
      share(row.truePositives),
      row.networkCallsPerImage.toFixed(0),
      row.secondsPerImage.toFixed(4),
    ]),
  );
}

async function save(folder: string, rows: readonly Row[], { prior, classifier }: Assets): Promise<void> {
  await mkdir(folder, { recursive: true });
  const facts = { schema: "untrigger/purify-quality@1", prior: prior.hash, classifier: classifier.hash, seed: 0 };
  await writeFile(
    `${folder}/purify-quality.jsonl`,
    rows.map((row) => `${JSON.stringify({ ...facts, ...row })}\n`).join(""),
  );
  await writeFile(
    `${folder}/purify-quality.md`,
    `# Purifiers against BadNets on Fashion-MNIST

Rendered by \`npm run bench -- quality\` from \`purify-quality.jsonl\`; do not edit. The first test images whose class is
not the target (clean and triggered alike), the shipped prior and backdoored classifier, seed 0. CA: clean images called by their
label. PA and ASR: triggered images called by their label, or the target. Floor: clean images that the defended
classifier calls the target all the same; no ASR can be expected below it. In brackets 95 % Wilson intervals. Flagged: images above the
shipped threshold, which promises at most 5 % of clean images (calibrated on 1,000 others). Calls: images that the prior's
network sees for each image. Seconds on two threads include the classifier's queries and vary with the machine.

${tableOf(rows)}
`,
  );
  console.log(`wrote ${folder}/purify-quality.md`);
}
