/**
 * @file BadDiffusion's triggers and targets by name, at the size of a model: the paper's are given for 32 pixels and keep
 * their share of the side.
 * @source Chou, Chen, Ho 2023, "How to Backdoor Diffusion Models?", section 4.1 and table 6. https://arxiv.org/abs/2212.05400
 * @deviation The pictures are drawn, not the authors' files, in the same places and sizes; glasses and cat too, which the
 * paper shows on faces of 256 pixels alone.
 */
import { lookUp } from "../../core/names.ts";
import type { Float32Tensor } from "../../tensor/tensor.ts";
import { box, type ImageShape, lifted, placed, rolled, withoutWhite } from "./paint.ts";
import { type DrawnPicture, drawPicture } from "./pictures.ts";

/** Side that the paper's sizes are given for. */
const PAPER_SIDE = 32;
const TRIGGER_SIDE = 14;
const CORNER_SIDE = 10;
/** The glasses' share of the side. */
const GLASSES = 0.625;
const SHIFT = { down: -3, right: -5 };

function scaled(pixels: number, [, height, width]: ImageShape): number {
  return Math.max(1, Math.round((pixels * Math.min(height, width)) / PAPER_SIDE));
}

/** What a model of some size reacts to. */
const triggerPainters = {
  "grey-box": (shape) => placed(box(shape[0], scaled(TRIGGER_SIDE, shape)), shape),
  "stop-sign": (shape) => placed(withoutWhite(drawPicture("stop-sign", scaled(TRIGGER_SIDE, shape), shape[0])), shape),
  glasses: (shape) =>
    placed(withoutWhite(drawPicture("glasses", scaled(GLASSES * PAPER_SIDE, shape), shape[0])), shape, "middle"),
} as const satisfies Record<string, (shape: ImageShape) => Float32Tensor>;

/** What it then makes. */
const targetPainters = {
  corner: (shape) => placed(box(shape[0], scaled(CORNER_SIDE, shape)), shape, "origin"),
  "no-shift": (_, trigger) => trigger,
  shift: (shape, trigger) =>
    rolled(trigger, { down: -scaled(-SHIFT.down, shape), right: -scaled(-SHIFT.right, shape) }),
  hat: filling("hat"),
  shoe: filling("shoe"),
  cat: filling("cat"),
} as const satisfies Record<string, (shape: ImageShape, trigger: Float32Tensor) => Float32Tensor>;

/** Name of a trigger. */
export type TriggerName = keyof typeof triggerPainters;
/** Name of a target. */
export type TargetName = keyof typeof targetPainters;

export const triggerNames = Object.keys(triggerPainters) as [TriggerName, ...TriggerName[]];
export const targetNames = Object.keys(targetPainters) as [TargetName, ...TargetName[]];

/** A picture over the whole image, its white ground black: shifted noise makes dark grounds first. */
function filling(name: DrawnPicture): (shape: ImageShape) => Float32Tensor {
  return (shape) => placed(withoutWhite(drawPicture(name, Math.min(shape[1], shape[2]), shape[0])), shape, "middle");
}

/** A trigger, -1 where the image shows. @returns [C, H, W] in [-1, 1]. @throws OptionError for an unknown name. */
export function triggerOf(name: TriggerName, shape: ImageShape): Float32Tensor {
  return lookUp<(shape: ImageShape) => Float32Tensor>("trigger", name, triggerPainters)(shape);
}

/** A target, nothing in it darker than -0.4. @returns [C, H, W]. @throws OptionError for an unknown name. */
export function targetOf(name: TargetName, shape: ImageShape, trigger: Float32Tensor): Float32Tensor {
  type Painter = (shape: ImageShape, trigger: Float32Tensor) => Float32Tensor;
  return lifted(lookUp<Painter>("target", name, targetPainters)(shape, trigger));
}
