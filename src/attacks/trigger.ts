/** @file A trigger as a folder: what it looks like and how it is put onto an image. */
import { z } from "zod";
import type { ByteSource } from "../core/byte-source.ts";
import { FormatError, messageOf, ShapeError } from "../core/errors.ts";
import { readNpy } from "../data/npy.ts";
import { toFloat32 } from "../nn/checkpoints/weights.ts";
import { formatDims, imageDims, sameDims } from "../tensor/shape.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import { pasteInto } from "./kernels.ts";

/** What `trigger.json` holds for a trigger that is pasted with a mask. */
const triggerJson = z.object({
  kind: z.literal("patch"),
  attack: z.string(),
  source: z.string().optional(),
  target: z.number().int().min(0),
  blend: z.number().min(0).max(1).default(1),
  mask: z.string().default("mask.npy"),
  pattern: z.string().default("pattern.npy"),
});

/** A trigger that is ready to apply. */
export interface Trigger {
  /** Name of the attack. */
  readonly attack: string;
  /** The class that triggered images are called. */
  readonly target: number;
  /** [C, H, W] each: `image + blend * mask * (pattern - image)`, unit range. */
  readonly mask: Float32Tensor;
  readonly pattern: Float32Tensor;
  readonly blend: number;
}

/**
 * Reads a trigger folder: `trigger.json`, `mask.npy`, `pattern.npy`.
 * @throws FormatError when the description is not one, or mask and pattern differ in dims.
 */
export async function readTrigger(source: ByteSource): Promise<Trigger> {
  let description: z.infer<typeof triggerJson>;
  try {
    description = triggerJson.parse(JSON.parse(new TextDecoder().decode(await source("trigger.json"))));
  } catch (error) {
    if (!(error instanceof z.ZodError || error instanceof SyntaxError)) throw error;
    throw new FormatError(`trigger.json: expected a description of a patch trigger; ${messageOf(error)}`, {
      cause: error,
    });
  }
  const [mask, pattern] = await Promise.all(
    [description.mask, description.pattern].map(async (name) => toFloat32(readNpy(await source(name)))),
  );
  if (mask === undefined || pattern === undefined || mask.dims.length !== 3 || !sameDims(mask.dims, pattern.dims)) {
    throw new FormatError(
      `trigger.json: expected mask and pattern of equal dims [C, H, W], got ${formatDims(mask?.dims ?? [])} and ${formatDims(pattern?.dims ?? [])}.`,
    );
  }
  return { attack: description.attack, target: description.target, blend: description.blend, mask, pattern };
}

/**
 * Puts a trigger onto every image of a batch, as a new tensor.
 * @param images float32 [N, C, H, W] in [0, 1]. @throws ShapeError when C, H or W differ from the trigger's.
 */
export function applyTrigger(trigger: Trigger, images: Float32Tensor): Float32Tensor {
  const { c, h, w } = imageDims("applyTrigger", images.dims);
  if (!sameDims([c, h, w], trigger.mask.dims)) {
    throw new ShapeError(
      `trigger ${trigger.attack}: expected images of ${formatDims(trigger.mask.dims)}, got ${formatDims([c, h, w])}.`,
    );
  }
  const out = float32(images.dims, images.data.slice());
  pasteInto(out.data, trigger.mask.data, trigger.pattern.data, trigger.blend);
  return out;
}
