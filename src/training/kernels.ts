/** @file The inner loops of optimisers: in place over flat arrays, in the order of operations that PyTorch has. */

/** Numbers of {@link sgdInto}. */
export interface SgdNumbers {
  readonly rate: number;
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
  /** The velocity begins as the first gradient, not as a share of it. */
  readonly isFirst: boolean;
}

/** One step of stochastic gradient descent. `velocity` is not touched without momentum. */
export function sgdInto(weights: Float32Array, gradient: Float32Array, velocity: Float32Array, n: SgdNumbers): void {
  const { rate, momentum, nesterov, weightDecay, isFirst } = n;
  for (let i = 0; i < weights.length; i++) {
    let g = gradient[i]! + weightDecay * weights[i]!;
    if (momentum !== 0) {
      const v = isFirst ? g : momentum * velocity[i]! + g;
      velocity[i] = v;
      g = nesterov ? g + momentum * v : v;
    }
    weights[i] = weights[i]! - rate * g;
  }
}

/** Numbers of {@link adamInto}. */
export interface AdamNumbers {
  readonly rate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  /** Added to the gradient (Adam). */
  readonly weightDecay: number;
  /** Share by which weights shrink before the step (AdamW): rate times decay. */
  readonly shrink: number;
  /** Steps made with this one. */
  readonly count: number;
}

/** One step of Adam: `mean` and `square` are the running first and second moments. */
export function adamInto(
  weights: Float32Array,
  gradient: Float32Array,
  moments: readonly [mean: Float32Array, square: Float32Array],
  n: AdamNumbers,
): void {
  const [mean, square] = moments;
  const { rate, beta1, beta2, eps, weightDecay, shrink, count } = n;
  const stepSize = rate / (1 - beta1 ** count);
  const root = Math.sqrt(1 - beta2 ** count);
  const keep = 1 - shrink;
  for (let i = 0; i < weights.length; i++) {
    const w = weights[i]! * keep;
    const g = gradient[i]! + weightDecay * w;
    const m = beta1 * mean[i]! + (1 - beta1) * g;
    const v = beta2 * square[i]! + (1 - beta2) * g * g;
    mean[i] = m;
    square[i] = v;
    weights[i] = w - (stepSize * m) / (Math.sqrt(v) / root + eps);
  }
}

/** Euclidean norm, summed in float64. */
export function normOf(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return Math.sqrt(sum);
}

/** `values *= factor` */
export function scaleInto(values: Float32Array, factor: number): void {
  for (let i = 0; i < values.length; i++) values[i] = values[i]! * factor;
}

/** `average = decay * average + (1 - decay) * values` */
export function averageInto(average: Float32Array, values: Float32Array, decay: number): void {
  for (let i = 0; i < average.length; i++) average[i] = decay * average[i]! + (1 - decay) * values[i]!;
}

/**
 * Running variances with the variance of the batch in them → with that of the data, which is `count / (count - 1)` of it.
 * Batches of one value tell nothing of a variance and stay.
 */
export function unbiasInto(
  next: Float32Array,
  stored: Float32Array,
  { momentum, count }: { readonly momentum: number; readonly count: number },
): void {
  const others = Math.max(1, count - 1);
  for (let i = 0; i < next.length; i++) next[i] = next[i]! + (next[i]! - momentum * stored[i]!) / others;
}

/** Swaps every entry with one before it, chosen by a uniform number: a random order (Fisher and Yates). */
export function shuffleInto(order: Uint32Array, chances: Float64Array): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(chances[i]! * (i + 1));
    const other = order[j]!;
    order[j] = order[i]!;
    order[i] = other;
  }
}
