/** @file What the benchmarks share: the shipped prior and classifier, Fashion-MNIST's test images, the shipped trigger. */
import { readTrigger, type Trigger } from "untrigger/attacks";
import type { LabelledImages } from "untrigger/bench";
import type { Classifier } from "untrigger/classifiers";
import { datasets } from "untrigger/data";
import type { Prior } from "untrigger/diffusion";
import { findDataset, folderSource, openClassifierAt, openPriorAt, openRuntime } from "untrigger/node";
import type { Runtime } from "untrigger/runtime";
import { rowsOf, unitFromBytes } from "untrigger/tensor";

/** Where the shipped models lie. */
export const PRIOR = "models/fashion-mnist-prior";
export const CLASSIFIER = "models/fashion-mnist-badnets/model.onnx";
export const TRIGGER = "models/fashion-mnist-badnets/trigger";

/** Everything that a benchmark of the shipped models needs. */
export interface Assets {
  readonly runtime: Runtime;
  readonly prior: Prior;
  readonly classifier: Classifier;
  readonly trigger: Trigger;
}

/** Opens the shipped models on the CPU. */
export async function openAssets(threads: number): Promise<Assets> {
  const runtime = await openRuntime({ device: "cpu", threads }, console.error);
  return {
    runtime,
    prior: await openPriorAt(PRIOR, runtime),
    classifier: await openClassifierAt(CLASSIFIER, runtime),
    trigger: await readTrigger(folderSource(TRIGGER)),
  };
}

/** Images `from`..`to - 1` of Fashion-MNIST's test set that `keep` wants, in order. */
export async function testImages(
  from: number,
  to: number,
  keep: (label: number) => boolean = () => true,
): Promise<LabelledImages> {
  const dataset = datasets["fashion-mnist"];
  if (dataset === undefined) throw new Error("internal: no fashion-mnist");
  const { images, labels } = await dataset.read(folderSource(await findDataset(dataset)), "test");
  const rows = [...labels.keys()].filter((i) => i >= from && i < to && keep(labels[i] ?? -1));
  const bytes = Uint8Array.from(rows.flatMap((i) => [...rowsOf(images, i, i + 1).data]));
  return {
    images: unitFromBytes([rows.length, ...images.dims.slice(1)], bytes),
    labels: rows.map((i) => labels[i] ?? 0),
  };
}
