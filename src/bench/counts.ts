/** @file What is counted of a batch, at one rank; counts of batches add up to those of the whole. */
import { attackSuccess, cleanAccuracy, poisonedAccuracy, ranks, untriggeredFloor } from "../metrics/accuracy.ts";
import type { Count } from "../metrics/count.ts";
import { takeRows } from "../tensor/rows.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";

/** Counts at one rank: a class counts when it is among the best so many scores. */
export interface RankCounts {
  /** CA: clean images called by their label. */
  readonly cleanAccuracy: Count;
  /** PA: attacked images called by their label, without and with those of the target class. */
  readonly poisonedAccuracy: Count;
  readonly poisonedAccuracyAllClasses: Count;
  /**
   * ASR: attacked images called their target, without and with those of the target class. Of an attack without a
   * target: images that are called by their label as long as they are clean, and not under attack.
   */
  readonly attackSuccess: Count;
  readonly attackSuccessAllClasses: Count;
  /** Clean images of other classes called their target all the same: no ASR can be expected below it. */
  readonly floor: Count;
}

/** Scores of a batch, clean and attacked. */
export interface CountedBatch {
  readonly clean: { readonly scores: Float32Tensor; readonly labels: ArrayLike<number> };
  readonly attacked:
    | {
        readonly scores: Float32Tensor;
        readonly labels: ArrayLike<number>;
        readonly targets: ArrayLike<number> | undefined;
        /** Row of each among the clean images. */
        readonly indices: ArrayLike<number>;
      }
    | undefined;
}

const NONE: Count = { hits: 0, total: 0 };

/** Counts of no images. */
export const NOTHING: RankCounts = {
  cleanAccuracy: NONE,
  poisonedAccuracy: NONE,
  poisonedAccuracyAllClasses: NONE,
  attackSuccess: NONE,
  attackSuccessAllClasses: NONE,
  floor: NONE,
};

/** Counts a batch. @throws ShapeError when scores and labels do not fit each other. */
export function countBatch({ clean, attacked }: CountedBatch, topK: number): RankCounts {
  const accuracy = cleanAccuracy(clean.scores, clean.labels, topK);
  if (attacked === undefined) return { ...NOTHING, cleanAccuracy: accuracy };
  const { scores, labels, targets, indices } = attacked;
  const before = takeRows(clean.scores, indices);
  if (targets === undefined) {
    const unlike = new Int32Array(labels.length).fill(-1);
    const own = poisonedAccuracy(scores, labels, unlike, { topK });
    const lost = countLost(before, scores, { labels, topK });
    return {
      ...NOTHING,
      cleanAccuracy: accuracy,
      poisonedAccuracy: own,
      poisonedAccuracyAllClasses: own,
      attackSuccess: lost,
      attackSuccessAllClasses: lost,
    };
  }
  const all = { topK, includeTarget: true };
  return {
    cleanAccuracy: accuracy,
    poisonedAccuracy: poisonedAccuracy(scores, labels, targets, { topK }),
    poisonedAccuracyAllClasses: poisonedAccuracy(scores, labels, targets, all),
    attackSuccess: attackSuccess(scores, labels, targets, { topK }),
    attackSuccessAllClasses: attackSuccess(scores, labels, targets, all),
    floor: untriggeredFloor(before, labels, targets, topK),
  };
}

/** Of images called by their label, those that are not any more. */
function countLost(
  before: Float32Tensor,
  after: Float32Tensor,
  { labels, topK }: { readonly labels: ArrayLike<number>; readonly topK: number },
): Count {
  const right = ranks(before, labels).map((rank) => (rank < topK ? 1 : 0));
  const wrong = ranks(after, labels).map((rank) => (rank < topK ? 0 : 1));
  const sum = (values: Int32Array): number => values.reduce((total, value) => total + value, 0);
  return { hits: sum(right.map((value, i) => value * (wrong[i] ?? 0))), total: sum(right) };
}

/** The counts of two lots of images together. */
export function addCounts(a: RankCounts, b: RankCounts): RankCounts {
  const sum = (name: keyof RankCounts): Count => ({
    hits: a[name].hits + b[name].hits,
    total: a[name].total + b[name].total,
  });
  return {
    cleanAccuracy: sum("cleanAccuracy"),
    poisonedAccuracy: sum("poisonedAccuracy"),
    poisonedAccuracyAllClasses: sum("poisonedAccuracyAllClasses"),
    attackSuccess: sum("attackSuccess"),
    attackSuccessAllClasses: sum("attackSuccessAllClasses"),
    floor: sum("floor"),
  };
}
