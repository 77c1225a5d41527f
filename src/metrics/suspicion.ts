/**
 * @file How much purification changed an image or what it is called: one number per image, higher is more suspicious.
 * Clean images keep their scores, triggered ones lose the trigger's. Soft scores give {@link softmaxShift}, hard labels
 * {@link labelChanges}, no classifier at all the weak {@link largestResidual}.
 */
import { ShapeError } from "../core/errors.ts";
import { formatDims, imageDims, sameDims } from "../tensor/shape.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import { winners } from "./accuracy.ts";

/**
 * L1 distance between the class probabilities before and after, averaged over the votes.
 * @param before probabilities [N, K] of the images as they came. @param votes probabilities [N, K] of each purified copy.
 * @returns N values from 0 (no change) to 2 (all probability moved). @throws ShapeError without votes or for other dims.
 */
export function softmaxShift(before: Float32Tensor, votes: readonly Float32Tensor[]): Float64Array {
  const { n, k } = checkVotes(before, votes);
  return Float64Array.from({ length: n }, (_, image) => {
    let sum = 0;
    for (const { data } of votes) {
      for (let i = image * k; i < (image + 1) * k; i++) {
        sum += Math.abs((before.data[i] ?? Number.NaN) - (data[i] ?? Number.NaN));
      }
    }
    return sum / votes.length;
  });
}

/**
 * Share of the votes that change the winning class.
 * @param before scores [N, K] of any kind. @param votes scores [N, K] of each purified copy.
 * @returns N values 0..1. @throws ShapeError without votes or for other dims.
 */
export function labelChanges(before: Float32Tensor, votes: readonly Float32Tensor[]): Float64Array {
  checkVotes(before, votes);
  const labels = winners(before);
  const after = votes.map(winners);
  return Float64Array.from(labels, (label, i) => after.filter((vote) => vote[i] !== label).length / votes.length);
}

/**
 * Largest mean of the absolute change in any whole 3x3 window, channels averaged (images below 3 pixels are one window). Weak:
 * it sees patches, and is blind to triggers that spread over the image.
 * @param images [N, C, H, W] in [0, 1]. @param purified same dims, the mean of the votes.
 * @returns N values 0..1. @throws ShapeError for other dims.
 */
export function largestResidual(images: Float32Tensor, purified: Float32Tensor): Float64Array {
  const { n, c, h, w } = imageDims("suspicion", images.dims);
  if (!sameDims(images.dims, purified.dims)) {
    throw new ShapeError(
      `suspicion: expected purified images ${formatDims(images.dims)}, got ${formatDims(purified.dims)}.`,
    );
  }
  const plane = h * w;
  return Float64Array.from({ length: n }, (_, image) => {
    const residual = new Float64Array(plane);
    for (let i = 0; i < c * plane; i++) {
      const at = image * c * plane + i;
      const change = Math.abs((images.data[at] ?? Number.NaN) - (purified.data[at] ?? Number.NaN)) / c;
      residual[i % plane] = (residual[i % plane] ?? 0) + change;
    }
    return largestWindowMean(residual, h, w);
  });
}

/** Largest mean over windows of 3x3, or of the whole height or width where that is less than 3. */
function largestWindowMean(values: Float64Array, height: number, width: number): number {
  const [rows, columns] = [Math.min(3, height), Math.min(3, width)];
  let largest = 0;
  for (let y = 0; y + rows <= height; y++) {
    for (let x = 0; x + columns <= width; x++) {
      let sum = 0;
      for (let dy = 0; dy < rows; dy++) {
        for (let dx = 0; dx < columns; dx++) sum += values[(y + dy) * width + x + dx] ?? Number.NaN;
      }
      // Not Math.max alone: NaN must not hide.
      if (!(sum <= largest)) largest = sum;
    }
  }
  return largest / (rows * columns);
}

function checkVotes(before: Float32Tensor, votes: readonly Float32Tensor[]): { n: number; k: number } {
  const [n, k] = before.dims;
  const odd = votes.find(({ dims }) => !sameDims(dims, before.dims));
  if (n === undefined || k === undefined || before.dims.length !== 2 || votes.length === 0 || odd !== undefined) {
    const got = odd === undefined ? `${votes.length} votes` : `a vote ${formatDims(odd.dims)}`;
    throw new ShapeError(`suspicion: expected votes with scores ${formatDims(before.dims)} as before, got ${got}.`);
  }
  return { n, k };
}
