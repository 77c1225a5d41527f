/** @file What images a network is asked for: whole numbers of pixels, in sizes that fit its levels. */
import { OptionError, ShapeError } from "../../core/errors.ts";

/** Pixels along one side at most, and channels. */
const MOST = 4096;

/** Dims of the images that a network takes. */
export interface ImageDims {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** @param name of the network, for messages. @throws OptionError when a dim is no integer from 1 to 4096. */
export function checkImage(name: string, dims: ImageDims): void {
  for (const key of ["channels", "height", "width"] as const) {
    const count = dims[key];
    if (Number.isSafeInteger(count) && count >= 1 && count <= MOST) continue;
    throw new OptionError(`${name}: ${key}: expected an integer from 1 to ${MOST}, got ${count}.`);
  }
}

/**
 * @param parts how many equal parts both sides must have, and why.
 * @throws ShapeError when they have not.
 */
export function checkDivides(name: string, { height, width }: ImageDims, parts: { of: number; because: string }): void {
  const { of, because } = parts;
  if (height % of === 0 && width % of === 0) return;
  const padded = [height, width].map((side) => of * Math.ceil(side / of)).join("x");
  throw new ShapeError(
    `${name}: expected a height and width that ${of} divides, got ${height}x${width}; because ${because}. Do pad or resize the images to ${padded}.`,
  );
}
