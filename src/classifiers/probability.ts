/** @file Scores of any kind as class probabilities. */
import type { Float32Tensor } from "../tensor/tensor.ts";
import type { Classification } from "./classifier.ts";
import { softmaxRowsInto } from "./kernels.ts";

/**
 * Class probabilities [N, K]: the softmax of logits; probabilities and one-hot labels as they are.
 * @returns new memory for logits, the same tensor otherwise.
 */
export function toProbabilities({ scores, kind }: Classification): Float32Tensor {
  if (kind !== "logits") return scores;
  const data = new Float32Array(scores.data.length);
  softmaxRowsInto(data, scores.data, scores.dims[1] ?? 1);
  return { dtype: "float32", dims: scores.dims, data };
}
