/** @file A training of a millisecond a step: a small normalised network, random batches, a store in memory. */
import { uniforms } from "../../src/core/noise.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/ir.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import type { Feeds } from "../../src/runtime/runtime.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { oneHot } from "../../src/training/batches/labelled.ts";
import type { CheckpointStore } from "../../src/training/checkpointed.ts";
import type { BatchSource } from "../../src/training/loop.ts";
import { crossEntropyLoss, ROW_WEIGHTS, TARGETS } from "../../src/training/losses.ts";
import { openStep, type TrainingStep } from "../../src/training/step.ts";
import { trainableOf } from "../../src/training/trainable.ts";

/** Images of a step. */
export const TINY_BATCH = 8;

/** A convolution, a normalisation, a linear layer: `x` [N, 1, 6, 6] to `logits` [N, 3]. */
export function tinyNet(rows: number | string = "N"): Graph {
  const b = new GraphBuilder();
  const weight = (name: string, dims: readonly number[], fill?: number): string => {
    const size = dims.reduce((product, dim) => product * dim, 1);
    return b.weight(
      name,
      float32(
        dims,
        Float32Array.from(uniforms(1, name, 0, size), (u) => fill ?? u - 0.5),
      ),
    );
  };
  const conv = b.op("Conv", [b.input("x", "float32", [rows, 1, 6, 6]), weight("conv", [4, 1, 3, 3])]);
  const parts = [weight("scale", [4], 1), weight("shift", [4], 0), weight("mean", [4], 0), weight("variance", [4], 1)];
  const map = b.op("Relu", [b.op("BatchNormalization", [conv, ...parts])]);
  const flat = b.op("Flatten", [b.op("GlobalAveragePool", [map])]);
  b.output("logits", b.op("Gemm", [flat, weight("head", [4, 3]), weight("bias", [3], 0)]), "float32", [rows, 3]);
  return b.build("tiny");
}

/** Its step, in one thread. */
export async function openTinyStep(): Promise<TrainingStep> {
  const runtime = await createNodeRuntime({ threads: 1 });
  return openStep(trainableOf(tinyNet()), { runtime, batch: TINY_BATCH, loss: crossEntropyLoss("logits"), threads: 1 });
}

/** Feeds of its step: images of three kinds, by the step alone. */
export const tinyBatches: BatchSource<Feeds> = async (step) => {
  const x = Float32Array.from(uniforms(5, "tiny", step, TINY_BATCH * 36));
  const labels = Array.from({ length: TINY_BATCH }, (_, row) => (row + step) % 3);
  for (const [row, label] of labels.entries()) {
    for (let i = 12 * label; i < 12 * (label + 1); i++) x[row * 36 + i]! += 1;
  }
  return {
    x: float32([TINY_BATCH, 1, 6, 6], x),
    [TARGETS]: oneHot(labels, 3),
    [ROW_WEIGHTS]: float32([TINY_BATCH], new Float32Array(TINY_BATCH).fill(1)),
  };
};

/** A store in memory. */
export interface MemoryStore extends CheckpointStore {
  readonly bytes: Uint8Array | undefined;
  /** How often something was saved. */
  readonly saves: number;
}

/** A store that keeps the last state. @param refuses throws what the disk says, for one that is full. */
export function memoryStore(refuses: () => void = () => undefined): MemoryStore {
  let kept: Uint8Array | undefined;
  let saves = 0;
  return {
    get bytes() {
      return kept;
    },
    get saves() {
      return saves;
    },
    load: async () => kept,
    save: async (bytes) => {
      refuses();
      kept = bytes.slice();
      saves += 1;
    },
  };
}
