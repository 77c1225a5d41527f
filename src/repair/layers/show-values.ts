/** @file What values inside a network are on images, batch by batch. */
import { IMAGES, takingUnitImages } from "../../classifiers/image-graph.ts";
import { RuntimeFailure } from "../../core/errors.ts";
import type { Graph, ValueName } from "../../graph/ir.ts";
import { graphToBytes } from "../../graph/to-model.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { Float32Tensor } from "../../tensor/tensor.ts";
import { unitImages } from "../../training/batches/unit-images.ts";
import type { ClassifierNet } from "../../training/train-classifier.ts";
import type { CleanImages } from "../repair.ts";

/** Which values, on which images. */
export interface ShownValues {
  readonly values: readonly ValueName[];
  readonly images: CleanImages;
  readonly runtime: Runtime;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Images of one run, where the network takes any number: values of many layers are in memory at once. */
const ROWS = 32;

/**
 * Runs a network over images and hands on some of its values.
 * @param graph in inference mode. @param take is called for every value of every batch.
 * @throws RuntimeFailure when one is not float32; the signal's reason when aborted.
 */
export async function showValues(
  { signature, preprocessing, dims }: ClassifierNet,
  graph: Graph,
  { values, images: { images, labels }, runtime, threads, signal }: ShownValues,
  take: (name: ValueName, value: Float32Tensor) => void,
): Promise<void> {
  const { batch } = signature.image;
  const outputs = values.map((name) => ({ name, dtype: "float32" as const, dims: undefined }));
  const whole = takingUnitImages({ ...graph, outputs }, { signature, preprocessing, dims: [batch ?? "N", ...dims] });
  const session = await runtime.load(graphToBytes(whole), { threads });
  try {
    const n = labels.length;
    const size = batch ?? ROWS;
    for (let from = 0; from < n; from += size) {
      signal?.throwIfAborted();
      // A network of a fixed batch sees the first images once more.
      const rows = Array.from({ length: batch ?? Math.min(size, n - from) }, (_, i) => (from + i) % n);
      const results = await session.run({ [IMAGES]: unitImages(images, rows) }, signal);
      for (const name of values) {
        const value = results[name];
        if (value?.dtype !== "float32") throw new RuntimeFailure(`repair: expected "${name}" as float32, got none.`);
        take(name, value);
      }
    }
  } finally {
    await session.dispose();
  }
}
