/** @file What stands as the answer for an image: the scores after purification, or what the verdict makes of both. */
import { winners } from "../metrics/accuracy.ts";
import type { AnswerRule } from "../results/purify-row.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";

/** Class probabilities of a batch, and how suspicious each image is. */
export interface JudgedScores {
  /** [N, K], of the images as they came. */
  readonly before: Float32Tensor;
  /** [N, K], of the purified ones, mean over the votes. */
  readonly after: Float32Tensor;
  /** [N] */
  readonly suspicion: ArrayLike<number>;
}

/**
 * The scores that are answered with, [N, K]. By `verdict` an image that is not flagged keeps the scores that it came with:
 * purification costs it nothing. A flagged one gets those of its purified self, with the class that it came as at zero and
 * the others in proportion: if a trigger spoke, that class is its word.
 * @param threshold images above it are flagged.
 */
export function answerOf(
  { before, after, suspicion }: JudgedScores,
  { rule, threshold }: { readonly rule: AnswerRule; readonly threshold: number },
): Float32Tensor {
  if (rule === "purified") return after;
  const [, classes = 0] = before.dims;
  const spoken = winners(before);
  const data = before.data.slice();
  for (const [row, word] of spoken.entries()) {
    if ((suspicion[row] ?? 0) <= threshold || classes < 2) continue;
    const own = after.data.slice(row * classes, (row + 1) * classes);
    own[word] = 0;
    const rest = own.reduce((sum, score) => sum + score, 0);
    // All of the weight on one class: the others are equal.
    const scaled = own.map((score, k) => (rest > 0 ? score / rest : k === word ? 0 : 1 / (classes - 1)));
    data.set(scaled, row * classes);
  }
  return { dtype: "float32", dims: before.dims, data };
}
