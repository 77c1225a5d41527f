/** @file Binary morphology with the smallest neighbourhoods. Masks are [H, W], one byte a pixel, 0 or 1. */

import { erodeInto, type Neighbourhood } from "./kernels.ts";
import { checkMask, type Mask } from "./mask.ts";

/** `cross`: the four next pixels; `square`: those at the corners too. */
export type Neighbours = "cross" | "square";

/** How masks are changed. */
export interface MorphologyOptions {
  /** `square` when left out. */
  readonly neighbours?: Neighbours | undefined;
  /** Beyond the edges: nothing (the default), or as if it were not there. */
  readonly outside?: "empty" | "neutral" | undefined;
}

/** The pixels around a pixel, itself included. */
export function neighbourhood(neighbours: Neighbours): Neighbourhood {
  const steps = [-1, 0, 1];
  return steps
    .flatMap((down) => steps.map((right) => [down, right] as const))
    .filter(([down, right]) => neighbours === "square" || down === 0 || right === 0);
}

/** Ones whose neighbours are all ones. @throws ShapeError when the mask is none. */
export function erode(mask: Mask, options: MorphologyOptions = {}): Mask {
  return eroded(mask, options, options.outside === "neutral");
}

/** Ones and their neighbours. @throws ShapeError when the mask is none. */
export function dilate(mask: Mask, options: MorphologyOptions = {}): Mask {
  // What is added to the ones is taken from the zeros; beyond the edges there are none to add, either way.
  return inverted(eroded(inverted(mask), options, true));
}

/** Erosion, then dilation: what is thinner than the neighbourhood goes. */
export function opening(mask: Mask, options: MorphologyOptions = {}): Mask {
  return dilate(erode(mask, options), options);
}

/** Dilation, then erosion: gaps thinner than the neighbourhood are filled. */
export function closing(mask: Mask, options: MorphologyOptions = {}): Mask {
  return erode(dilate(mask, options), options);
}

function eroded(mask: Mask, { neighbours = "square" }: MorphologyOptions, outside: boolean): Mask {
  const { height, width } = checkMask("morphology", mask);
  const data = new Uint8Array(mask.data.length);
  erodeInto(data, mask.data, { height, width, around: neighbourhood(neighbours), outside });
  return { dtype: "uint8", dims: mask.dims, data };
}

function inverted({ dims, data }: Mask): Mask {
  return { dtype: "uint8", dims, data: data.map((value) => (value === 0 ? 1 : 0)) };
}
