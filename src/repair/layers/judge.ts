/** @file How many images a network gets right while multipliers weaken its channels; one session for all of them. */
import { IMAGES, takingUnitImages } from "../../classifiers/image-graph.ts";
import { RuntimeFailure } from "../../core/errors.ts";
import { asInputs } from "../../graph/rewrite/compose.ts";
import { graphToBytes } from "../../graph/to-model.ts";
import { cleanAccuracy } from "../../metrics/accuracy.ts";
import { rate } from "../../metrics/count.ts";
import type { Feeds, Runtime } from "../../runtime/runtime.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";
import { unitImages } from "../../training/batches/unit-images.ts";
import type { ClassifierNet } from "../../training/train-classifier.ts";
import type { CleanImages } from "../repair.ts";
import type { Multiplied } from "./multipliers.ts";

/** Measures a network at any multipliers. Whoever opens it disposes it. */
export interface Judge {
  /**
   * The share of the images that are called by their label. @param multipliers by parameter, one for each channel.
   * @throws the signal's reason when aborted.
   */
  accuracy(multipliers: readonly Float32Array[], signal?: AbortSignal): Promise<number>;
  dispose(): Promise<void>;
}

/** Images of one run, where the network takes any number. */
const ROWS = 128;

/** Opens a judge for a network and the images that it is judged by. */
export async function openJudge(
  { signature, preprocessing, dims }: ClassifierNet,
  { graph, names }: Multiplied,
  {
    held,
    runtime,
    threads,
  }: { readonly held: CleanImages; readonly runtime: Runtime; readonly threads?: number | undefined },
): Promise<Judge> {
  const scored = { ...graph, outputs: graph.outputs.filter(({ name }) => name === signature.output) };
  const whole = takingUnitImages(scored, { signature, preprocessing, dims: [signature.image.batch ?? "N", ...dims] });
  const session = await runtime.load(graphToBytes(asInputs(whole, names)), { threads });
  const shapes = names.map((name) => graph.initializers.get(name)?.dims ?? []);
  const size = signature.image.batch ?? ROWS;

  async function scoresOf(from: number, fixed: Feeds, signal: AbortSignal | undefined): Promise<Float32Tensor> {
    const n = held.labels.length;
    const count = Math.min(size, n - from);
    const asked = signature.image.batch ?? count;
    // A network of a fixed batch sees the last image again and again.
    const rows = Array.from({ length: asked }, (_, i) => Math.min(from + i, n - 1));
    const results = await session.run({ ...fixed, [IMAGES]: unitImages(held.images, rows) }, signal);
    const scores = results[signature.output];
    if (scores?.dtype !== "float32") throw new RuntimeFailure("repair: expected float32 scores, got none.");
    const classes = scores.data.length / asked;
    return float32([count, classes], scores.data.slice(0, count * classes));
  }

  return {
    async accuracy(multipliers, signal) {
      const fixed = Object.fromEntries(
        names.map((name, i) => [name, float32(shapes[i] ?? [], multipliers[i] ?? new Float32Array(0))]),
      );
      let hits = 0;
      for (let from = 0; from < held.labels.length; from += size) {
        signal?.throwIfAborted();
        const scores = await scoresOf(from, fixed, signal);
        const labels = Array.from({ length: scores.dims[0] ?? 0 }, (_, i) => held.labels[from + i] ?? -1);
        hits += cleanAccuracy(scores, labels).hits;
      }
      return rate({ hits, total: held.labels.length });
    },
    dispose: () => session.dispose(),
  };
}
