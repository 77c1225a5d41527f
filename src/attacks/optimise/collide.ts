/** @file Feature collision: images that look like one class and have the features of triggered images of another. */
import type { FeatureClassifier } from "../../classifiers/features.ts";
import { takeRows } from "../../tensor/rows.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";
import { squaredNorm } from "./kernels.ts";

/** What {@link collide} is told. */
export interface CollideSettings {
  /** Largest change of a pixel. */
  readonly epsilon: number;
  /** Length of the first steps: of the gradient itself, or of its sign. */
  readonly rate: number;
  readonly update: "gradient" | "sign";
  readonly iterations: number;
  /** Iterations after which steps become half as long. */
  readonly halving: number;
  /** The largest squared distance at which the search ends. */
  readonly enough: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Moves each image towards one of as many triggered ones, in the space of features.
 * @param images float32 [N, C, H, W]. @param triggered as many. @returns new images within `epsilon`, in [0, 1].
 * @source Saha et al. 2020, algorithm 1: in every iteration the nearest pairs first, then one step.
 */
export async function collide(
  classifier: FeatureClassifier,
  images: Float32Tensor,
  { triggered, ...settings }: CollideSettings & { readonly triggered: Float32Tensor },
): Promise<Float32Tensor> {
  const { epsilon, rate, update, iterations, halving, enough, signal } = settings;
  const [n = 0] = images.dims;
  const [, width = 0] = classifier.lastLayer.dims;
  const nothing = float32([n, width]);
  const ones = float32([n, width], new Float32Array(n * width).fill(1));
  const read = async (x: Float32Tensor): Promise<Float32Tensor> =>
    (await classifier.featureGradient(x, nothing, { weights: nothing, signal })).features;
  const goals = await read(triggered);
  let x = images;
  let pairs = nearestPairs(await read(x), goals);
  for (let i = 0; i < iterations; i++) {
    signal?.throwIfAborted();
    const wanted = takeRows(goals, pairs);
    const { features, losses, gradient } = await classifier.featureGradient(x, wanted, { weights: ones, signal });
    if (losses.data.every((loss) => loss < enough)) break;
    const length = rate * 0.5 ** Math.floor(i / halving);
    x = float32(
      x.dims,
      x.data.map((value, at) => {
        const slope = gradient.data[at] ?? 0;
        const moved = value - length * (update === "sign" ? Math.sign(slope) : slope);
        const origin = images.data[at] ?? 0;
        return Math.min(Math.max(moved, origin - epsilon, 0), origin + epsilon, 1);
      }),
    );
    pairs = nearestPairs(features, goals);
  }
  return x;
}

/** For each row of features the row of goals that it is paired with: the nearest two first, each used once. */
export function nearestPairs(features: Float32Tensor, goals: Float32Tensor): Int32Array {
  const [n = 0, width = 0] = features.dims;
  const [m = 0] = goals.dims;
  const all: { row: number; goal: number; far: number }[] = [];
  for (let row = 0; row < n; row++) {
    const own = features.data.subarray(row * width, (row + 1) * width);
    for (let goal = 0; goal < m; goal++) {
      const other = goals.data.subarray(goal * width, (goal + 1) * width);
      all.push({ row, goal, far: squaredNorm(own.map((value, i) => value - (other[i] ?? 0))) });
    }
  }
  all.sort((a, b) => a.far - b.far || a.row - b.row || a.goal - b.goal);
  const pairs = new Int32Array(n).fill(-1);
  const taken = new Set<number>();
  for (const { row, goal } of all) {
    if (pairs[row] !== -1 || taken.has(goal)) continue;
    pairs[row] = goal;
    taken.add(goal);
  }
  return pairs;
}
