/** @file The images that an attack is measured on. */
import { createNoise, type ImageId, imageId } from "../core/noise.ts";
import type { RunContext } from "../core/run-context.ts";
import { bytesFromUnit, unitFromBytes } from "../tensor/image-bytes.ts";
import { concatRows, rowsOf, takeRows } from "../tensor/rows.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import { targetOf } from "./label-map.ts";
import type { Trigger } from "./trigger.ts";

/** Clean images with what they show. */
export interface CleanImages {
  /** float32 [N, C, H, W] in [0, 1]. */
  readonly images: Float32Tensor;
  readonly labels: ArrayLike<number>;
}

/** Triggered images. Metrics leave out those whose label is their target, or count them too: both are reported. */
export interface TriggeredImages {
  /** float32 [M, C, H, W], rounded to 8 bits as a picture file would hold them. */
  readonly images: Float32Tensor;
  /** What each shows. */
  readonly labels: Int32Array;
  /** What each is to be called. */
  readonly targets: Int32Array;
  /** Row of each among the clean images. */
  readonly indices: Int32Array;
}

/** How a test set is made; the images do not depend on `batch`. */
export interface TestSetOptions {
  /** Of triggers that differ by image; the trigger's own when left out. */
  readonly seed?: number | undefined;
  readonly batch?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Puts a trigger onto every image of a class that the attack concerns, those of the target class included.
 * @throws what `Trigger.apply` throws.
 */
export async function triggeredTestSet(
  trigger: Trigger,
  { images, labels }: CleanImages,
  { seed = trigger.seed, batch = 256, signal }: TestSetOptions = {},
): Promise<TriggeredImages> {
  const n = images.dims[0] ?? 0;
  const indices = Int32Array.from({ length: n }, (_, i) => i).filter(
    (i) => targetOf(trigger.labels, labels[i] ?? -1) !== undefined,
  );
  const concerned = indices.length === n ? images : takeRows(images, indices);
  const shown = Int32Array.from(indices, (i) => labels[i] ?? -1);
  return {
    images: await inBatches(trigger.apply, concerned, { seed, batch, signal }),
    labels: shown,
    targets: shown.map((label) => targetOf(trigger.labels, label) ?? -1),
    indices,
  };
}

/**
 * The control images of a trigger, 8-bit: each keeps its own label. Of `cross` controls the trigger belongs to the next
 * image of another class, so that it is not the image's own.
 * @returns `undefined` when the trigger has no control. @throws what the control throws.
 */
export async function controlTestSet(
  trigger: Trigger,
  { images, labels }: CleanImages,
  { seed = trigger.seed, batch = 256, signal }: TestSetOptions = {},
): Promise<Float32Tensor | undefined> {
  const { control } = trigger;
  if (control === undefined) return undefined;
  const others = takeRows(images, partnersOf(labels, images.dims[0] ?? 0));
  return await inBatches(
    (rows, run, from) => control.apply(rows, rowsOf(others, from, from + (rows.dims[0] ?? 0)), run),
    images,
    { seed, batch, signal },
  );
}

/** The ids that these images have as 8-bit pictures. */
export function idsOf(images: Float32Tensor): ImageId[] {
  const dims = images.dims.slice(1);
  return Array.from({ length: images.dims[0] ?? 0 }, (_, i) => imageId(dims, bytesFromUnit(rowsOf(images, i, i + 1))));
}

/** For each image the next one that shows something else; itself where all show the same. */
function partnersOf(labels: ArrayLike<number>, n: number): Int32Array {
  return Int32Array.from({ length: n }, (_, i) => {
    for (let step = 1; step < n; step++) if (labels[(i + step) % n] !== labels[i]) return (i + step) % n;
    return i;
  });
}

async function inBatches(
  apply: (rows: Float32Tensor, run: RunContext, from: number) => Promise<Float32Tensor>,
  images: Float32Tensor,
  { seed, batch, signal }: { readonly seed: number; readonly batch: number; readonly signal: AbortSignal | undefined },
): Promise<Float32Tensor> {
  const n = images.dims[0] ?? 0;
  if (n === 0) return images;
  const parts: Float32Tensor[] = [];
  for (let from = 0; from < n; from += batch) {
    const rows = rowsOf(images, from, Math.min(from + batch, n));
    const changed = await apply(rows, { noise: createNoise(seed, idsOf(rows)), signal }, from);
    parts.push(unitFromBytes(changed.dims, bytesFromUnit(changed)));
  }
  return concatRows(parts);
}
