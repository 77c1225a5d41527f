/** @file Photo filters as triggers: a few steps of colour arithmetic each. */
import { ShapeError } from "../../core/errors.ts";
import { imageDims } from "../../tensor/shape.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";
import { autoGammaInto, type FilterStep, filterInto, vignetteInto } from "./kernels.ts";

/** A colour in [0, 1]. */
const rgb = (red: number, green: number, blue: number): readonly [number, number, number] => [
  red / 255,
  green / 255,
  blue / 255,
];

/** What is done to an image, in order. */
type Step =
  | FilterStep
  | { readonly kind: "auto-gamma" }
  | { readonly kind: "vignette"; readonly colour: readonly [number, number, number]; readonly strength: number };

const INDIGO = rgb(34, 43, 109);
const contrast: FilterStep = { kind: "contrast", strength: 3 };

/**
 * The filters that TrojAI's rounds use, by name.
 * @deviation the steps and their numbers are those of the recipes for ImageMagick that TrojAI's generator follows; the
 * arithmetic of each step is ours, so pixels differ a little from ImageMagick's.
 */
const filters = {
  gotham: [
    { kind: "modulate", brightness: 1.2, saturation: 0.1 },
    { kind: "tint", colour: INDIGO, strength: 0.2 },
    { kind: "gamma", gamma: 0.5 },
    contrast,
    contrast,
  ],
  nashville: [
    { kind: "tone", colour: INDIGO, strength: 0.5, where: "shadows" },
    { kind: "tone", colour: rgb(247, 218, 174), strength: 0.5, where: "highlights" },
    contrast,
    { kind: "modulate", brightness: 1, saturation: 1.5 },
    { kind: "auto-gamma" },
  ],
  kelvin: [
    { kind: "auto-gamma" },
    { kind: "modulate", brightness: 1.2, saturation: 0.5 },
    { kind: "multiply", colour: rgb(255, 153, 0), strength: 0.5 },
  ],
  lomo: [
    { kind: "level", black: 0.33, channels: [0, 1] },
    { kind: "vignette", colour: rgb(0, 0, 0), strength: 1 },
  ],
  toaster: [
    { kind: "tone", colour: rgb(51, 0, 0), strength: 0.5, where: "shadows" },
    { kind: "modulate", brightness: 1.5, saturation: 0.8 },
    { kind: "gamma", gamma: 1.2 },
    contrast,
    contrast,
    { kind: "vignette", colour: rgb(255, 153, 102), strength: 0.5 },
  ],
} as const satisfies Record<string, readonly Step[]>;

/** The name of a filter. */
export type FilterName = keyof typeof filters;

/** The names of all filters. */
export const filterNames = Object.keys(filters) as [FilterName, ...FilterName[]];

/** Applies a filter. @param images float32 [N, 3, H, W] in [0, 1]. @throws ShapeError when they have no three channels. */
export function applyFilter(images: Float32Tensor, name: FilterName): Float32Tensor {
  const { n, c, h, w } = imageDims("filter", images.dims);
  if (c !== 3) throw new ShapeError(`filter: expected images of 3 channels, got ${c}.`);
  const out = float32(images.dims, images.data.slice());
  const size = c * h * w;
  for (let row = 0; row < n; row++) {
    const own = out.data.subarray(row * size, (row + 1) * size);
    for (const step of filters[name] as readonly Step[]) {
      if (step.kind === "auto-gamma") autoGammaInto(own);
      else if (step.kind === "vignette") vignetteInto(own, step, [h, w]);
      else filterInto(own, step);
    }
  }
  return out;
}
