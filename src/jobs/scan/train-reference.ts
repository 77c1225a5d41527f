/** @file The training of one reference. */
import type { Runtime } from "../../runtime/runtime.ts";
import { augmentationOf } from "../../training/batches/augment.ts";
import { openBatches } from "../../training/batches/open-batches.ts";
import { trainClassifier } from "../../training/train-classifier.ts";
import { freshNet } from "../training/fresh-net.ts";
import type { ClassifiedImages } from "../training/host.ts";
import { classifierRecipe, planOf } from "../training/recipe.ts";
import type { ReferenceSettings } from "./reference-settings.ts";

/** Which reference, and what its training is lent. */
export interface ReferenceTraining {
  /** Its place in the list: networks and augmentation go by it. */
  readonly index: number;
  /** Of weights and order. */
  readonly seed: number;
  readonly runtime: Runtime;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with the share that is done. */
  progress(part: number): void;
}

/**
 * Trains one reference. Networks take turns, and every other one of each kind sees shifted images: suspects come from both
 * kinds of recipes. @returns the files of its folder. @throws what training throws.
 */
export async function trainReference(
  { learn, classes }: { readonly learn: ClassifiedImages; readonly classes: number },
  { networks, visits, batch }: ReferenceSettings,
  { index, seed, runtime, threads, signal, progress }: ReferenceTraining,
): Promise<Readonly<Record<string, Uint8Array>>> {
  const labels = Int32Array.from(learn.labels);
  const rows = Math.min(batch, labels.length);
  const [turn, round] = [index % networks.length, Math.floor(index / networks.length)];
  const shifted = (turn + round) % 2 === 0;
  const recipe = classifierRecipe.parse({
    epochs: visits / labels.length,
    batch: rows,
    crop: shifted ? 2 : 0,
  });
  const { architecture = "", options = {} } = networks[turn] ?? {};
  const names = Array.from({ length: classes }, (_, k) => String(k));
  const net = freshNet({ architecture, options, seed }, { classes: names, train: learn });
  const plan = planOf(recipe, labels.length);
  const trained = await trainClassifier({
    runtime,
    threads,
    signal,
    net: net.net,
    batch: rows,
    plan,
    batches: openBatches({
      kind: "labelled",
      images: learn.images,
      labels,
      classes,
      batch: rows,
      seed,
      augmentation: augmentationOf(recipe),
    }),
    onStep: ({ step }) => progress(step / plan.steps),
  });
  return net.save(trained);
}
