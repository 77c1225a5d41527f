/** @file Refuses feeds that a model cannot take, in our words instead of the engine's. */
import { ShapeError } from "../core/errors.ts";
import { elementCount, formatDims } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Feeds, ValueInfo } from "./runtime.ts";

/**
 * Compares feeds with what a session takes.
 * @throws ShapeError for a missing or unknown name, another element type, another rank, another fixed dim, or a tensor
 * whose data are not as many as its dims say.
 */
export function checkFeeds(inputs: readonly ValueInfo[], feeds: Feeds): void {
  for (const input of inputs) {
    const feed = Object.hasOwn(feeds, input.name) ? feeds[input.name] : undefined;
    if (feed === undefined) {
      throw new ShapeError(
        `input "${input.name}": expected ${describe(input.dtype, input.dims)}, got none; fed were ${namesOf(Object.keys(feeds))}.`,
      );
    }
    checkFeed(input, feed);
  }
  for (const name of Object.keys(feeds)) {
    if (!inputs.some((input) => input.name === name)) {
      throw new ShapeError(
        `input "${name}": expected one of ${namesOf(inputs.map((input) => input.name))}, got a name that the model does not have.`,
      );
    }
  }
}

function checkFeed({ name, dtype, dims }: ValueInfo, feed: Tensor): void {
  // No dims may mean a scalar or that the model does not say: the engine knows which.
  const fits =
    dims.length === 0 ||
    (dims.length === feed.dims.length && dims.every((dim, i) => typeof dim === "string" || dim === feed.dims[i]));
  if (dtype !== feed.dtype || !fits) {
    throw new ShapeError(`input "${name}": expected ${describe(dtype, dims)}, got ${describe(feed.dtype, feed.dims)}.`);
  }
  if (feed.data.length !== elementCount(feed.dims)) {
    throw new ShapeError(
      `input "${name}": expected ${elementCount(feed.dims)} values for ${formatDims(feed.dims)}, got ${feed.data.length}.`,
    );
  }
}

function describe(dtype: string, dims: readonly (number | string)[]): string {
  return `${dtype} ${formatDims(dims.map((dim) => (dim === "" ? "?" : dim)))}`;
}

function namesOf(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ") || "none";
}
