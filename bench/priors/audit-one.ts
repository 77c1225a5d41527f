/** @file What the audit measures of one prior of the plan, and what it found, kept beside the prior. */
import { join } from "node:path";
import { folderSource, openPriorAt } from "untrigger/node";
import type { Runtime } from "untrigger/runtime";
import { affine, bytesFromUnit, type Float32Tensor, float32 } from "untrigger/tensor";
import { readNet } from "../../src/diffusion/open-prior.ts";
import { measurePrior } from "../../src/jobs/audit/measure.ts";
import { nearness } from "../../src/jobs/audit/measure-prior.ts";
import type { AuditMeasure } from "../../src/results/audit-record.ts";
import { kept, pictureAt } from "./kept.ts";
import { isBackdoored, type PlannedPrior } from "./plan.ts";

/** The audit's defaults. */
const SETTINGS = { iterations: 60, samples: 6, steps: 1000, seed: 0 };

/** The audit of one prior. */
export interface AuditedOne {
  readonly measure: AuditMeasure;
  /** SSIM of the mean of samples with the found shift to the true target; null where there is none. */
  readonly targetSsim: number | null;
  /** SSIM of what the search alone takes for the target. */
  readonly guessSsim: number | null;
  /** On this machine, beside whatever else ran. */
  readonly seconds: number;
  /** Bytes [C, H, W]: the true trigger and target where there are some, the found shift, what the search takes for the
   * target, and the mean of the samples. */
  readonly pictures: Readonly<Record<string, readonly number[]>>;
}

/** Measures a prior, or reads what was measured before. */
export async function auditPlanned(
  one: PlannedPrior,
  { out, runtime, threads }: { readonly out: string; readonly runtime: Runtime; readonly threads: number },
): Promise<AuditedOne> {
  return kept(join(out, "audits", `${one.name}.json`), () =>
    measureOne(one, join(out, one.name), { runtime, threads }),
  );
}

async function measureOne(
  one: PlannedPrior,
  folder: string,
  { runtime, threads }: { readonly runtime: Runtime; readonly threads: number },
): Promise<AuditedOne> {
  const started = performance.now();
  const prior = await openPriorAt(folder, runtime);
  try {
    const net = await readNet(folderSource(folder));
    const found = await measurePrior({ prior, net }, SETTINGS, { runtime, threads });
    const seconds = (performance.now() - started) / 1000;
    const truth = isBackdoored(one) ? await pictureAt(folder, "target") : undefined;
    const likeness = (images: Float32Tensor): number | null => (truth ? nearness(images, truth).ssim : null);
    const guess = asUnit(found.guess);
    return {
      measure: found.measure,
      targetSsim: likeness(found.target),
      guessSsim: likeness(guess),
      seconds,
      pictures: {
        ...(truth ? { trigger: bytesOf(await pictureAt(folder, "trigger")), target: bytesOf(truth) } : {}),
        shift: bytesOf(found.shift),
        guess: bytesOf(found.guess),
        mean: [...bytesFromUnit(found.target)],
      },
    };
  } finally {
    await prior.dispose();
  }
}

/** An image in [-1, 1] as bytes. */
function bytesOf(image: Float32Tensor): number[] {
  return [...bytesFromUnit(asUnit(image))];
}

/** [C, H, W] in [-1, 1] as [1, C, H, W] in [0, 1]. */
function asUnit({ dims, data }: Float32Tensor): Float32Tensor {
  return affine(float32([1, ...dims], data), 0.5, 0.5);
}
