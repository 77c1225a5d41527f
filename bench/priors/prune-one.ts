/**
 * @file Adversarial neuron pruning of one prior of the plan: does it bring a known target to light? Kept beside the prior.
 * @source Chou, Chen, Ho 2023, section 4.6.1: the error of inverted images to the true target, after each epoch.
 */
import { join } from "node:path";
import { folderSource, openPriorAt } from "untrigger/node";
import type { Runtime } from "untrigger/runtime";
import { type PruningSettings, pruneChannels } from "../../src/audit/anp.ts";
import { readNet } from "../../src/diffusion/open-prior.ts";
import { nearness } from "../../src/jobs/audit/measure-prior.ts";
import { readTrainingData } from "../../src/node/training-data.ts";
import { kept, pictureAt } from "./kept.ts";
import type { PlannedPrior } from "./plan.ts";

const SETTINGS: PruningSettings = {
  ...{ budget: 1, bound: "paper", rate: 1e-3, batch: 32, epochs: 5, steps: 20 },
  ...{ samples: 6, sampleSteps: 1000, seed: 0 },
};

/** What pruning did, epoch by epoch. */
export interface PrunedOne {
  readonly budget: number;
  /** Of the undisturbed prior's samples. */
  readonly plain: number;
  readonly epochs: readonly { readonly loss: number; readonly diversity: number; readonly mse: number | null }[];
}

/** Prunes a prior, or reads what came of it before. @param target name of the prior whose target is looked for. */
export async function prunePlanned(
  { name }: PlannedPrior,
  {
    out,
    target,
    runtime,
    threads,
  }: { readonly out: string; target: string; readonly runtime: Runtime; threads: number },
): Promise<PrunedOne> {
  return kept(join(out, "prunings", `${name}.json`), async () => {
    const folder = join(out, name);
    const wanted = await pictureAt(join(out, target), "target");
    const { train } = await readTrainingData(join(out, "halved.npz"), {
      limit: SETTINGS.batch * SETTINGS.epochs * SETTINGS.steps,
    });
    const prior = await openPriorAt(folder, runtime);
    const net = await readNet(folderSource(folder));
    const { plain, epochs } = await pruneChannels({ net, prior }, train.images, SETTINGS, { runtime, threads });
    await prior.dispose();
    return {
      budget: SETTINGS.budget,
      plain,
      epochs: epochs.map(({ loss, diversity, samples }) => ({ loss, diversity, mse: nearness(samples, wanted).mse })),
    };
  });
}
