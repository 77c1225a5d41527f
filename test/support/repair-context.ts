/** @file A small classifier that has learned three kinds of images, and such images, for tests of repairs. */
import { signatureOf } from "../../src/classifiers/image-graph.ts";
import { UNIT_RANGE } from "../../src/classifiers/preprocessing.ts";
import { uniforms } from "../../src/core/noise.ts";
import type { Graph } from "../../src/graph/ir.ts";
import type { CleanImages, RepairContext } from "../../src/repair/repair.ts";
import { tune, tuningOptions } from "../../src/repair/tuning.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import type { ClassifierNet } from "../../src/training/train-classifier.ts";
import { tinyNet } from "./tiny-training.ts";

/** A graph with one image input as a network of logits that takes pixels as they are. */
export function netOf(graph: Graph, dims: readonly number[]): ClassifierNet {
  return { graph, signature: signatureOf(graph), preprocessing: UNIT_RANGE, kind: "logits", dims };
}

/** Images [N, 1, 6, 6] of three kinds: a third of the rows is brighter. */
export function stripes(items: number, seed: number): CleanImages {
  const chances = uniforms(seed, "stripes", 0, items * 36);
  const labels = Array.from({ length: items }, (_, i) => i % 3);
  const data = Uint8Array.from(chances, (chance, i) => {
    const isBright = Math.floor((i % 36) / 12) === labels[Math.floor(i / 36)];
    return Math.floor(120 * chance) + (isBright ? 120 : 0);
  });
  return { images: { dtype: "uint8", dims: [items, 1, 6, 6], data }, labels };
}

/** What a repair may be asked on: the tiny network after some training, 90 images to learn from and 60 held out. */
export async function repairContext(seed = 3): Promise<RepairContext> {
  const base = {
    net: netOf(tinyNet(), [1, 6, 6]),
    classes: 3,
    learned: stripes(90, 1),
    held: stripes(60, 2),
    seed,
    runtime: await createNodeRuntime({ threads: 1 }),
    threads: 1,
  };
  trained ??= tune(tuningOptions.parse({ epochs: 30, batch: 30, rate: 0.3 }), base).then(({ graph }) => graph);
  return { ...base, net: netOf(await trained, [1, 6, 6]) };
}

let trained: Promise<Graph> | undefined;
