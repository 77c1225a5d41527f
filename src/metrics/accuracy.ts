/**
 * @file Clean accuracy, poisoned accuracy and attack success, as counts. Scores are rows [N, K] of any kind; an image's
 * target is one class for all, or one each (all-to-all attacks).
 */
import { ShapeError } from "../core/errors.ts";
import { formatDims } from "../tensor/shape.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import type { Count } from "./count.ts";

/** The attacker's class: of all images, or of each. */
export type Target = number | ArrayLike<number>;

/** Which images and which ranks count. */
export interface AccuracyOptions {
  /** A class counts when it is among the best `topK` scores; 1 when left out. */
  readonly topK?: number | undefined;
  /**
   * Whether images that already belong to the target class count. Excluded when left out: with them an attack success
   * rate cannot fall below their share. Tables state both.
   */
  readonly includeTarget?: boolean | undefined;
}

/**
 * How many classes score higher than the asked one, per image: 0 for the winner. Of equal scores the lower class wins.
 * @param classes class asked for of each image. @throws ShapeError unless scores are [N, K] with a class per row.
 */
export function ranks(scores: Float32Tensor, classes: ArrayLike<number>): Int32Array {
  const [n, k] = scores.dims;
  if (scores.dims.length !== 2 || n === undefined || k === undefined || classes.length !== n) {
    throw new ShapeError(
      `accuracy: expected scores [N, K] and N classes, got ${formatDims(scores.dims)} and ${classes.length}.`,
    );
  }
  return Int32Array.from({ length: n }, (_, i) => {
    const asked = classes[i] ?? -1;
    const row = scores.data.subarray(i * k, (i + 1) * k);
    const score = row[asked];
    if (score === undefined)
      throw new ShapeError(`accuracy: expected a class below ${k} for image ${i}, got ${asked}.`);
    return row.reduce((above, other, c) => above + (other > score || (other === score && c < asked) ? 1 : 0), 0);
  });
}

/** The winning class of each row of scores [N, K]; of equal scores the lower class. */
export function winners(scores: Float32Tensor): Int32Array {
  const [n = 0, k = 0] = scores.dims;
  return Int32Array.from({ length: n }, (_, i) => {
    const row = scores.data.subarray(i * k, (i + 1) * k);
    return row.reduce((best, score, c) => (score > (row[best] ?? Number.NaN) ? c : best), 0);
  });
}

/**
 * CA: images called by their own label. @throws ShapeError as {@link ranks}.
 * @param scores of clean images.
 */
export function cleanAccuracy(scores: Float32Tensor, labels: ArrayLike<number>, topK = 1): Count {
  return count(ranks(scores, labels), topK, () => true);
}

/**
 * PA: triggered images that are still called by their own label.
 * @param scores of triggered images. @param labels what they show. @throws ShapeError as {@link ranks}.
 * @source Shi et al. 2023, "Black-box backdoor defense via zero-shot image purification", section 4; robust accuracy in BackdoorBench.
 */
export function poisonedAccuracy(
  scores: Float32Tensor,
  labels: ArrayLike<number>,
  target: Target,
  { topK = 1, includeTarget = false }: AccuracyOptions = {},
): Count {
  const targets = targetsOf(target, labels.length);
  return count(ranks(scores, labels), topK, (i) => includeTarget || labels[i] !== targets[i]);
}

/**
 * ASR: triggered images that are called by the attacker's class.
 * @param scores of triggered images. @param labels what they show. @throws ShapeError as {@link ranks}.
 * @source Gu et al. 2017, "BadNets", section 4.
 */
export function attackSuccess(
  scores: Float32Tensor,
  labels: ArrayLike<number>,
  target: Target,
  { topK = 1, includeTarget = false }: AccuracyOptions = {},
): Count {
  const targets = targetsOf(target, labels.length);
  return count(ranks(scores, targets), topK, (i) => includeTarget || labels[i] !== targets[i]);
}

/**
 * The untriggered floor: clean images of other classes that are called by the attacker's class all the same, for
 * instance because a purifier blurs them. No attack success rate can be expected below it.
 * @param scores of clean images, defended the same way. @throws ShapeError as {@link ranks}.
 */
export function untriggeredFloor(scores: Float32Tensor, labels: ArrayLike<number>, target: Target, topK = 1): Count {
  return attackSuccess(scores, labels, target, { topK });
}

function targetsOf(target: Target, n: number): ArrayLike<number> {
  return typeof target === "number" ? new Int32Array(n).fill(target) : target;
}

function count(rank: Int32Array, topK: number, counts: (image: number) => boolean): Count {
  const counted = rank.filter((_, i) => counts(i));
  return { hits: counted.filter((r) => r < topK).length, total: counted.length };
}
