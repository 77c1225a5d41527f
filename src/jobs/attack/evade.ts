/** @file The use case `attack` for attacks that plant nothing: test images are changed against a classifier, and counted. */

import { idsOf } from "../../attacks/test-set.ts";
import type { DifferentiableClassifier } from "../../classifiers/differentiable.ts";
import { OptionError } from "../../core/errors.ts";
import { createNoise } from "../../core/noise.ts";
import { writeNpy } from "../../data/npy.ts";
import { winners } from "../../metrics/accuracy.ts";
import type { Count } from "../../metrics/count.ts";
import { bytesFromUnit, unitFromBytes } from "../../tensor/image-bytes.ts";
import { rowsOf } from "../../tensor/rows.ts";
import type { ClassifiedImages } from "../training/host.ts";
import type { AttackChoice } from "./attack.ts";

/** What evasion did to a classifier. */
export interface EvasionCounts {
  /** Images called by their label, before and after. */
  readonly cleanAccuracy: Count;
  readonly poisonedAccuracy: Count;
  /** Images that were called by their label, and are not any more. */
  readonly attackSuccess: Count;
}

/** The changed images as files, and what they do. */
export interface EvasionResult {
  /** `images.npy` uint8 [N, C, H, W] and `labels.npy` int32 [N]. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly counts: EvasionCounts;
}

/** Images in one call of the attack. */
const BATCH = 64;

/**
 * Changes test images against a classifier, and rounds them to 8 bits before they are counted.
 * @throws OptionError when the attack is not one on test images; what classifier and attack throw.
 */
export async function evadeJob(
  { descriptor, options }: AttackChoice,
  { images, labels, classes }: ClassifiedImages & { readonly classes: number },
  host: {
    readonly classifier: DifferentiableClassifier;
    readonly seed: number;
    readonly signal?: AbortSignal | undefined;
    progress?(done: number, total: number): void;
  },
): Promise<EvasionResult> {
  const { classifier, seed, signal } = host;
  const attack = await descriptor.create(options, { data: { images, labels, classes }, seed, signal });
  try {
    if (attack.how !== "evade") {
      throw new OptionError(`${descriptor.name}: expected an attack on test images, got one that plants a backdoor.`);
    }
    const [n = 0, ...dims] = images.dims;
    const changed = new Uint8Array(images.data.length);
    const before: number[] = [];
    const after: number[] = [];
    for (let from = 0; from < n; from += BATCH) {
      signal?.throwIfAborted();
      const rows = rowsOf(images, from, Math.min(from + BATCH, n));
      const clean = unitFromBytes(rows.dims, rows.data);
      const own = Array.from({ length: rows.dims[0] ?? 0 }, (_, i) => labels[from + i] ?? -1);
      const run = { noise: createNoise(seed, idsOf(clean)), signal };
      const bytes = bytesFromUnit(await attack.evade(clean, own, { classifier, run }));
      changed.set(bytes, (from * images.data.length) / n);
      before.push(...winners((await classifier.classify(clean, signal)).scores));
      after.push(...winners((await classifier.classify(unitFromBytes(rows.dims, bytes), signal)).scores));
      host.progress?.(before.length, n);
    }
    return {
      files: {
        "images.npy": writeNpy({ dtype: "uint8", dims: [n, ...dims], data: changed }),
        "labels.npy": writeNpy({
          dtype: "int32",
          dims: [n],
          data: Int32Array.from({ length: n }, (_, i) => labels[i] ?? -1),
        }),
      },
      counts: countsOf(before, after, labels),
    };
  } finally {
    await attack.dispose();
  }
}

function countsOf(before: readonly number[], after: readonly number[], labels: ArrayLike<number>): EvasionCounts {
  const right = (called: readonly number[]): number => called.filter((label, i) => label === labels[i]).length;
  const lost = before.filter((label, i) => label === labels[i] && after[i] !== labels[i]).length;
  const total = before.length;
  return {
    cleanAccuracy: { hits: right(before), total },
    poisonedAccuracy: { hits: right(after), total },
    attackSuccess: { hits: lost, total: right(before) },
  };
}
