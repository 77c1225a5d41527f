/** @file A purifier between requests: images of many requests share its batches, and what was computed is remembered. */
import { createHash } from "node:crypto";
import { imageId } from "../core/noise.ts";
import type { OpenPurifier } from "../jobs/open-purifier.ts";
import { bytesFromUnit } from "../tensor/image-bytes.ts";
import { concatRows, rowsOf } from "../tensor/rows.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import { createBatchQueue, type QueueSettings } from "./batch-queue.ts";
import type { ByteCache } from "./image-cache.ts";

/** One image, purified and judged. */
export interface PurifiedImage {
  /** [1, C, H, W] */
  readonly image: Float32Tensor;
  readonly suspicion: number;
  /** Class probabilities [1, K] before and after; absent where the purifier has no classifier. */
  readonly before: Float32Tensor | undefined;
  readonly after: Float32Tensor | undefined;
}

/** Images of one request, purified. */
export interface PurifiedImages {
  readonly rows: readonly PurifiedImage[];
  /** How many were remembered. */
  readonly cached: number;
}

/** Purifies the images of requests. */
export interface ImagePurifier {
  readonly depth: number;
  /** @throws Refusal when the queue is full, what the purifier throws, the signal's reason. */
  purify(images: Float32Tensor, seed: number, signal: AbortSignal): Promise<PurifiedImages>;
  idle(): Promise<void>;
}

interface Item {
  readonly image: Float32Tensor;
  readonly seed: number;
}

/**
 * Puts a queue and a cache before a purifier.
 * @param scope what results depend on beside pixels and seed: settings, prior and classifier.
 */
export function createImagePurifier(
  purifier: OpenPurifier,
  scope: string,
  { cache, queue }: { readonly cache: ByteCache<PurifiedImage>; readonly queue: QueueSettings },
): ImagePurifier {
  const batches = createBatchQueue<Item, PurifiedImage>(
    (items, signal) => purifyBatch(purifier, items, signal),
    ({ image, seed }) => `${image.dims.join("x")} ${seed}`,
    queue,
  );
  return {
    get depth() {
      return batches.depth;
    },
    async purify(images, seed, signal) {
      const items = Array.from({ length: images.dims[0] ?? 0 }, (_, row) => ({
        image: rowsOf(images, row, row + 1),
        seed,
      }));
      const keys = items.map((item) => keyOf(scope, item));
      const known = keys.map((key) => cache.get(key));
      const missing = items.filter((_, i) => known[i] === undefined);
      const computed = missing.length === 0 ? [] : await batches.submit(missing, signal);
      let next = 0;
      const rows = known.map((found, i) => {
        if (found !== undefined) return found;
        const row = computed[next++] as PurifiedImage;
        cache.set(keys[i] ?? "", row, bytesOf(row));
        return row;
      });
      return { rows, cached: items.length - missing.length };
    },
    idle: batches.idle,
  };
}

async function purifyBatch(
  purifier: OpenPurifier,
  items: readonly Item[],
  signal: AbortSignal,
): Promise<PurifiedImage[]> {
  const images = concatRows(items.map(({ image }) => image));
  const ids = items.map(({ image }) => imageId(image.dims.slice(1), bytesFromUnit(image)));
  const judged = await purifier.purify(images, ids, { seed: items[0]?.seed ?? 0, signal });
  const row = (all: Float32Tensor, i: number): Float32Tensor => {
    const { dims, data } = rowsOf(all, i, i + 1);
    // A copy: a view would keep the whole batch in memory for as long as the cache keeps one image.
    return float32(dims, data.slice());
  };
  return items.map((_, i) => ({
    image: row(judged.images, i),
    suspicion: judged.suspicion[i] ?? Number.NaN,
    before: judged.scores && row(judged.scores.before, i),
    after: judged.scores && row(judged.scores.after, i),
  }));
}

function keyOf(scope: string, { image, seed }: Item): string {
  const { data, dims } = image;
  return createHash("sha256")
    .update(`${scope} ${dims.join("x")} ${seed} `)
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest("base64");
}

function bytesOf({ image, before, after }: PurifiedImage): number {
  // Some 400 bytes of objects and key around the numbers.
  return 400 + 4 * (image.data.length + (before?.data.length ?? 0) + (after?.data.length ?? 0));
}
