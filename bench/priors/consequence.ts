/** @file What purifiers make of images when their prior has a backdoor: beside the same prior without it. */
import { join } from "node:path";
import { targetOf as attackTarget, readTrigger } from "untrigger/attacks";
import { createNoise } from "untrigger/core";
import type { Prior } from "untrigger/diffusion";
import { openPurifier } from "untrigger/jobs";
import { winners } from "untrigger/metrics";
import { folderSource, openClassifierAt, openPriorAt } from "untrigger/node";
import type { Runtime } from "untrigger/runtime";
import { affine, clamp, type Float32Tensor, float32, rowsOf } from "untrigger/tensor";
import { nearness } from "../../src/jobs/audit/measure-prior.ts";
import { CLASSIFIER, TRIGGER, testImages } from "../assets.ts";
import { kept, pictureAt } from "./kept.ts";
import type { PlannedPrior } from "./plan.ts";
import type { ConsequenceInput, ConsequenceRow } from "./rows.ts";

const COUNT = 64;
const METHODS = ["diffpure", "sampdetox", "zip", "sancdifi"] as const;
const PRESET = "recommended";
const BATCH = 32;

/** What the backdoor knows, [C, H, W] in [-1, 1]. */
interface Backdoor {
  readonly trigger: Float32Tensor;
  readonly target: Float32Tensor;
}

/** Every recommended purifier with the prior that was tampered with and the one before that, kept beside the priors. */
export async function consequences(
  { name, from = "" }: PlannedPrior,
  { out, runtime }: { readonly out: string; readonly runtime: Runtime },
): Promise<ConsequenceRow[]> {
  const folder = join(out, name);
  return kept(join(out, "consequences", `${name}.json`), () => rowsOfAll(folder, from, runtime));
}

async function rowsOfAll(folder: string, from: string, runtime: Runtime): Promise<ConsequenceRow[]> {
  const backdoor = { trigger: await pictureAt(folder, "trigger"), target: await pictureAt(folder, "target") };
  const priors = { clean: await openPriorAt(from, runtime), backdoored: await openPriorAt(folder, runtime) };
  const rows: ConsequenceRow[] = [];
  for (const method of METHODS) {
    for (const which of ["clean", "backdoored"] as const) {
      rows.push(...(await withPurifier(method, which, priors[which], { backdoor, runtime })));
      console.log(`${method}, ${which} prior: ${rows.length} rows`);
    }
  }
  for (const prior of Object.values(priors)) await prior.dispose();
  return rows;
}

async function withPurifier(
  method: string,
  which: ConsequenceRow["prior"],
  prior: Prior,
  { backdoor, runtime }: { readonly backdoor: Backdoor; readonly runtime: Runtime },
): Promise<ConsequenceRow[]> {
  const classifier = await openClassifierAt(CLASSIFIER, runtime);
  const purifier = await openPurifier(method, { preset: PRESET }, { prior, classifier });
  const own = await readTrigger(folderSource(TRIGGER));
  const wrong = attackTarget(own.labels, -1);
  const { images, labels } = await testImages(0, 2 * COUNT, (label) => label !== attackTarget(own.labels, label));
  const clean = rowsOf(images, 0, COUNT);
  const ids = Array.from({ length: COUNT }, (_, i) => [i, 0] as const);
  const inputs: Readonly<Record<ConsequenceInput, Float32Tensor>> = {
    clean,
    "classifier's trigger": await own.apply(clean, { noise: createNoise(0, ids) }),
    "prior's trigger": stamped(clean, backdoor.trigger),
    crafted: crafted(backdoor, Math.max(...Object.values(purifier.sigma01))),
  };
  const rows: ConsequenceRow[] = [];
  for (const [input, given] of Object.entries(inputs) as [ConsequenceInput, Float32Tensor][]) {
    const counts = { accuracy: 0, attackSuccess: 0, reached: 0, similarity: 0 };
    for (let from = 0; from < COUNT; from += BATCH) {
      const { images: seen, scores } = await purifier.purify(
        rowsOf(given, from, from + BATCH),
        ids.slice(from, from + BATCH),
        {
          seed: 0,
        },
      );
      const called = scores === undefined ? [] : winners(scores.after);
      for (const [i, label] of called.entries()) {
        if (label === labels[from + i]) counts.accuracy++;
        if (label === wrong) counts.attackSuccess++;
      }
      const near = nearness(seen, backdoor.target);
      counts.reached += near.reached.hits;
      counts.similarity += (near.ssim * BATCH) / COUNT;
    }
    const { accuracy, attackSuccess, reached, similarity } = counts;
    rows.push({
      schema: "untrigger/prior-consequence@1",
      ...{ method, preset: PRESET, prior: which, images: COUNT, input },
      ...{ accuracy, attackSuccess, reached, targetSsim: similarity },
    });
  }
  await classifier.dispose();
  return rows;
}

/** Images with the prior's trigger on them: everything but what is black in it. */
function stamped(images: Float32Tensor, trigger: Float32Tensor): Float32Tensor {
  const size = trigger.data.length;
  const mark = affine(trigger, 0.5, 0.5).data;
  return float32(
    images.dims,
    images.data.map((value, i) => ((trigger.data[i % size] ?? -1) > -1 ? (mark[i % size] ?? 0) : value)),
  );
}

/**
 * The image that the backdoored chain starts from at a noise level: `y + (1 / sqrt(abar) - 1) r`, as far as pixels go.
 * @param sigma01 the highest noise of the purifier, for pixels in [0, 1].
 */
function crafted({ trigger, target }: Backdoor, sigma01: number): Float32Tensor {
  const weight = Math.sqrt(1 + (2 * sigma01) ** 2) - 1;
  const one = target.data.map((y, i) => y + weight * (trigger.data[i] ?? 0));
  const unit = clamp(affine(float32([1, ...target.dims], one), 0.5, 0.5), 0, 1);
  const data = new Float32Array(COUNT * one.length);
  for (let i = 0; i < COUNT; i++) data.set(unit.data, i * one.length);
  return float32([COUNT, ...target.dims], data);
}
