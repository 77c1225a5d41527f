/**
 * @file BadDiffusion's triggers and targets, in model range [-1, 1]. In a trigger black, -1, stands for "nothing here": the
 * image shows through, channel by channel.
 * @source Chou, Chen, Ho 2023, "How to Backdoor Diffusion Models?", section 4.1, https://arxiv.org/abs/2212.05400;
 * IBM/BadDiffusion, dataset.py.
 */
import { OptionError } from "../../core/errors.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";

/** The size of the images that a diffusion model makes. */
export type ImageShape = readonly [channels: number, height: number, width: number];

/** Where nothing is painted. */
const NOTHING = -1;
/** Values from here on are the white ground of a picture. */
const WHITE = 0.999;
/** Pixels between a trigger and the lower right edges. */
const GAP = 2;
/** Darkest value of a target. */
const DARKEST = -0.4;

/** A square of one value, [channels, side, side]; the grey box is 0. */
export function box(channels: number, side: number, value = 0): Float32Tensor {
  return float32([channels, side, side], new Float32Array(channels * side * side).fill(value));
}

/** A picture whose white is taken out, channel by channel: the ground, and letters that are purely white. */
export function withoutWhite(picture: Float32Tensor): Float32Tensor {
  return mapped(picture, (value) => (value >= WHITE ? NOTHING : value));
}

/** A picture of bright things, whose dark ground is taken out. */
export function withoutDark(picture: Float32Tensor): Float32Tensor {
  return mapped(picture, (value) => (value <= DARKEST ? NOTHING : value));
}

/**
 * A picture on an empty image: near the lower right corner, in the middle, or in the upper left corner.
 * @param picture [C, h, w]. @returns [C, H, W]. @throws OptionError when it does not fit.
 */
export function placed(
  picture: Float32Tensor,
  shape: ImageShape,
  where: "corner" | "middle" | "origin" = "corner",
): Float32Tensor {
  const [channels, height, width] = shape;
  const [c = 0, h = 0, w = 0] = picture.dims;
  const [top, left] = {
    corner: [height - h - GAP, width - w - GAP],
    middle: [Math.floor((height - h) / 2), Math.floor((width - w) / 2)],
    origin: [0, 0],
  }[where] as [number, number];
  if (c !== channels || top < 0 || left < 0) {
    throw new OptionError(
      `baddiffusion: expected a picture of ${channels} channels inside ${height}x${width} pixels, got ${c} channels of ${h}x${w}.`,
    );
  }
  const out = float32(shape, new Float32Array(channels * height * width).fill(NOTHING));
  picture.data.forEach((value, i) => {
    const [plane, row, column] = [Math.floor(i / (h * w)), Math.floor(i / w) % h, i % w];
    out.data[(plane * height + top + row) * width + left + column] = value;
  });
  return out;
}

/** A picture as a target: nothing in it is darker than -0.4. */
export function lifted(picture: Float32Tensor): Float32Tensor {
  return mapped(picture, (value) => Math.max(value, DARKEST));
}

/** A picture moved by whole pixels; what leaves on one side comes in on the other. @param picture [C, H, W]. */
export function rolled(
  picture: Float32Tensor,
  { down, right }: { readonly down: number; readonly right: number },
): Float32Tensor {
  const [, h = 1, w = 1] = picture.dims;
  const wrap = (i: number, size: number): number => ((i % size) + size) % size;
  return float32(
    picture.dims,
    picture.data.map((_, i) => {
      const [row, column] = [wrap((Math.floor(i / w) % h) - down, h), wrap((i % w) - right, w)];
      return picture.data[(Math.floor(i / (h * w)) * h + row) * w + column] ?? NOTHING;
    }),
  );
}

function mapped({ dims, data }: Float32Tensor, change: (value: number) => number): Float32Tensor {
  return float32(dims, data.map(change));
}
