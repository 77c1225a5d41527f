/** @file What the audit measures of one prior of the plan, kept beside it; and a picture of what it found. */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readNpy } from "untrigger/data";
import { folderSource, openPriorAt } from "untrigger/node";
import type { Runtime } from "untrigger/runtime";
import { affine, type Float32Tensor, float32 } from "untrigger/tensor";
import { readNet } from "../../src/diffusion/open-prior.ts";
import { encodePng } from "../../src/images/node.ts";
import { measurePrior } from "../../src/jobs/audit/measure.ts";
import { nearness } from "../../src/jobs/audit/measure-prior.ts";
import { sampleSheet } from "../../src/jobs/audit/sample-sheet.ts";
import type { AuditMeasure } from "../../src/results/audit-record.ts";
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
}

/** Measures a prior, or reads what was measured before. */
export async function auditPlanned(
  one: PlannedPrior,
  { out, runtime, threads }: { readonly out: string; readonly runtime: Runtime; readonly threads: number },
): Promise<AuditedOne> {
  const folder = join(out, one.name);
  const file = join(out, "audits", `${one.name}.json`);
  if (existsSync(file)) return JSON.parse(await readFile(file, "utf8"));
  const started = performance.now();
  const prior = await openPriorAt(folder, runtime);
  try {
    const net = await readNet(folderSource(folder));
    const found = await measurePrior({ prior, net }, SETTINGS, { runtime, threads });
    const seconds = (performance.now() - started) / 1000;
    const truth = isBackdoored(one) ? await pictureAt(folder, "target") : undefined;
    const likeness = (images: Float32Tensor): number | null => (truth ? nearness(images, truth).ssim : null);
    const guess = asUnit(found.guess);
    const audited = {
      measure: found.measure,
      targetSsim: likeness(found.target),
      guessSsim: likeness(guess),
      seconds,
    };
    await mkdir(dirname(file), { recursive: true });
    const trueOnes = truth && { trigger: asUnit(await pictureAt(folder, "trigger")), target: asUnit(truth) };
    const sheet = sampleSheet([
      ...(trueOnes
        ? [
            { title: "trigger", samples: trueOnes.trigger },
            { title: "target", samples: trueOnes.target },
          ]
        : []),
      { title: "found shift", samples: asUnit(found.shift) },
      { title: "by gradients", samples: guess },
      { title: "mean", samples: found.target },
      { title: "shifted samples", samples: found.shifted },
      { title: "plain samples", samples: found.plain },
    ]);
    await writeFile(file.replace(/json$/, "png"), await encodePng(sheet));
    await writeFile(file, JSON.stringify(audited));
    return audited;
  } finally {
    await prior.dispose();
  }
}

async function pictureAt(folder: string, name: "trigger" | "target"): Promise<Float32Tensor> {
  return readNpy(await readFile(join(folder, "trigger", `${name}.npy`)), name) as Float32Tensor;
}

/** [C, H, W] in [-1, 1] as [1, C, H, W] in [0, 1]. */
function asUnit({ dims, data }: Float32Tensor): Float32Tensor {
  return affine(float32([1, ...dims], data), 0.5, 0.5);
}
