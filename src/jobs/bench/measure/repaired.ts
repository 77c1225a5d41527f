/** @file A model that was mended first, measured on the same images as all others. */
import { openFeatureClassifier } from "../../../classifiers/features.ts";
import { type OnnxClassifierFiles, openOnnxClassifier } from "../../../classifiers/onnx.ts";
import { OptionError } from "../../../core/errors.ts";
import { lookUp } from "../../../core/names.ts";
import { repairs } from "../../../repair/registry.ts";
import type { RepairDescriptor } from "../../../repair/repair.ts";
import { prepareRepair } from "../../repair/prepare-repair.ts";
import { savedClassifier } from "../../training/fresh-net.ts";
import type { CellHost, Measured } from "../cell-host.ts";
import type { CellDefence, CellJob } from "../job.ts";
import { measureAnswers } from "./answers.ts";

/** Share of a cell's work that mending is taken to be. */
const MENDING = 0.9;

/** Mends a model and measures it. @throws what the repair refuses, and what measuring throws. */
export async function measureRepaired(
  job: CellJob,
  { name, options }: Extract<CellDefence, { kind: "repair" }>,
  host: CellHost,
): Promise<Measured> {
  const { clean, runtime, threads, signal, now } = host;
  if (clean === undefined) throw new OptionError(`${name}: expected clean images, got none.`);
  const descriptor = lookUp<RepairDescriptor>("repair", name, repairs);
  const started = now();
  const repair = await prepareRepair(
    { descriptor, options, seed: job.seed },
    host.files,
    { name: job.data.name, clean },
    { runtime, threads, signal, progress: (done, total) => host.progress?.((MENDING * done) / total) },
  );
  const mended = savedClassifier((await repair.mend()).files);
  const secondsOnce = now() - started;
  return { secondsOnce, answers: await answersOf(job, mended, host) };
}

/** What the mended model answers. An evasion is made against it: it is the model that stands in the way. */
async function answersOf(job: CellJob, mended: OnnxClassifierFiles, host: CellHost): Promise<Measured["answers"]> {
  const { runtime, threads } = host;
  const classifier = await openOnnxClassifier(mended, runtime, { threads });
  const differentiable =
    job.threat === "evasion" ? await openFeatureClassifier(mended, runtime, { threads }) : undefined;
  try {
    return await measureAnswers(job, {
      ...host,
      classifier,
      differentiable: async () => differentiable ?? host.differentiable(),
      progress: (share) => host.progress?.(MENDING + (1 - MENDING) * share),
    });
  } finally {
    await differentiable?.dispose();
    await classifier.dispose();
  }
}
