/** @file What a backdoored classifier does: on clean images, on triggered ones, and on the trigger's controls. */
import { controlTestSet, triggeredTestSet } from "../../attacks/test-set.ts";
import type { Trigger } from "../../attacks/trigger.ts";
import type { Classifier } from "../../classifiers/classifier.ts";
import { attackSuccess, cleanAccuracy, poisonedAccuracy, untriggeredFloor } from "../../metrics/accuracy.ts";
import type { Count } from "../../metrics/count.ts";
import { unitFromBytes } from "../../tensor/image-bytes.ts";
import { concatRows, rowsOf, takeRows } from "../../tensor/rows.ts";
import type { Float32Tensor } from "../../tensor/tensor.ts";
import type { ClassifiedImages } from "../training/host.ts";

/** Counts on a test set. Those of triggered images come in both protocols: with images of the target class, and without. */
export interface BackdoorCounts {
  readonly cleanAccuracy: Count;
  readonly poisonedAccuracy: Count;
  readonly poisonedAccuracyAllClasses: Count;
  readonly attackSuccess: Count;
  readonly attackSuccessAllClasses: Count;
  /** Clean images of other classes that are called their target all the same. */
  readonly floor: Count;
  /** Control images called by their own label, where the trigger has a control. */
  readonly control: { readonly name: "noise" | "cross"; readonly accuracy: Count } | undefined;
}

/** Images that are in memory as floats at a time. */
const CHUNK = 512;
/** Images in one run of the classifier. */
const BATCH = 128;

/**
 * Measures a classifier with a trigger on test images. Triggered images are rounded to 8 bits.
 * @throws ShapeError when classifier, trigger and images do not fit; the signal's reason when aborted.
 */
export async function measureBackdoor(
  classifier: Classifier,
  trigger: Trigger,
  { images, labels, signal }: ClassifiedImages & { readonly signal?: AbortSignal | undefined },
): Promise<BackdoorCounts> {
  const n = images.dims[0] ?? 0;
  const parts: BackdoorCounts[] = [];
  for (let from = 0; from < n; from += CHUNK) {
    const to = Math.min(from + CHUNK, n);
    const rows = rowsOf(images, from, to);
    const own = Int32Array.from({ length: to - from }, (_, i) => labels[from + i] ?? -1);
    parts.push(
      await measureChunk(classifier, trigger, { images: unitFromBytes(rows.dims, rows.data), labels: own, signal }),
    );
  }
  const sum = (of: (part: BackdoorCounts) => Count | undefined): Count =>
    parts.map(of).reduce<Count>((total, part) => add(total, part ?? NONE), NONE);
  const control = parts[0]?.control;
  return {
    cleanAccuracy: sum((part) => part.cleanAccuracy),
    poisonedAccuracy: sum((part) => part.poisonedAccuracy),
    poisonedAccuracyAllClasses: sum((part) => part.poisonedAccuracyAllClasses),
    attackSuccess: sum((part) => part.attackSuccess),
    attackSuccessAllClasses: sum((part) => part.attackSuccessAllClasses),
    floor: sum((part) => part.floor),
    control: control && { name: control.name, accuracy: sum((part) => part.control?.accuracy) },
  };
}

const NONE: Count = { hits: 0, total: 0 };

function add(a: Count, b: Count): Count {
  return { hits: a.hits + b.hits, total: a.total + b.total };
}

async function measureChunk(
  classifier: Classifier,
  trigger: Trigger,
  { images, labels, signal }: { images: Float32Tensor; labels: Int32Array; signal: AbortSignal | undefined },
): Promise<BackdoorCounts> {
  const clean = await scoresOf(classifier, images, signal);
  const triggered = await triggeredTestSet(trigger, { images, labels }, { signal });
  const control = await controlTestSet(trigger, { images, labels }, { signal });
  const [shown, targets] = [triggered.labels, triggered.targets];
  const all = { includeTarget: true };
  // Of a class alone a chunk may have none.
  const dirty = shown.length === 0 ? takeRows(clean, []) : await scoresOf(classifier, triggered.images, signal);
  return {
    cleanAccuracy: cleanAccuracy(clean, labels),
    poisonedAccuracy: poisonedAccuracy(dirty, shown, targets),
    poisonedAccuracyAllClasses: poisonedAccuracy(dirty, shown, targets, all),
    attackSuccess: attackSuccess(dirty, shown, targets),
    attackSuccessAllClasses: attackSuccess(dirty, shown, targets, all),
    floor: untriggeredFloor(takeRows(clean, triggered.indices), shown, targets),
    control:
      control === undefined || trigger.control === undefined
        ? undefined
        : {
            name: trigger.control.name,
            accuracy: cleanAccuracy(await scoresOf(classifier, control, signal), labels),
          },
  };
}

async function scoresOf(
  classifier: Classifier,
  images: Float32Tensor,
  signal: AbortSignal | undefined,
): Promise<Float32Tensor> {
  const n = images.dims[0] ?? 0;
  const parts: Float32Tensor[] = [];
  for (let from = 0; from < n; from += BATCH) {
    const rows = rowsOf(images, from, Math.min(from + BATCH, n));
    parts.push((await classifier.classify(rows, signal)).scores);
  }
  return concatRows(parts);
}
