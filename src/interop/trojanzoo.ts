/**
 * @file TrojanZoo's marks: a small picture with a mask, as npy [C + 1, h, w] whose last plane is the mask, as npz with
 * `mark` and `mask`, or as PNG whose transparency is the mask. The mark becomes a patch trigger.
 * @source ain-soph/trojanzoo, trojanvision/marks.
 */
import { z } from "zod";
import { labelMapSchema } from "../attacks/label-map.ts";
import type { ImageShape, TriggerRecord } from "../attacks/trigger.ts";
import { FormatError, messageOf, OptionError } from "../core/errors.ts";
import { type Decoders, needDecoder } from "../data/decoders.ts";
import { looksLikeNpy, readNpy } from "../data/npy.ts";
import { readNpz } from "../data/npz.ts";
import { looksLikeZip } from "../data/zip.ts";
import { toFloat32 } from "../nn/checkpoints/weights.ts";
import { formatDims } from "../tensor/shape.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";

/** What a mark's parameters may say; others are left alone. */
const parametersSchema = z.object({
  mark_alpha: z.number().min(0).max(1).optional(),
  mark_height_offset: z.int().min(0).max(65_536).optional(),
  mark_width_offset: z.int().min(0).max(65_536).optional(),
  mark_random_pos: z.boolean().optional(),
  target_class: z.int().min(0).max(1_000_000).optional(),
});

/** Parameters of a mark. */
export type TrojanZooParameters = z.output<typeof parametersSchema>;

/** What a mark does not say of itself. */
export interface TrojanZooOptions {
  /** [C, H, W] of the images that the trigger is for. */
  readonly shape: ImageShape;
  /** The attacker's class; that of the parameters or of the file's name when left out, else 0 as TrojanZoo. */
  readonly target?: number | undefined;
  readonly parameters?: TrojanZooParameters | undefined;
  readonly decoders?: Decoders | undefined;
}

/** A mark before it has a place: values in [0, 1]. */
interface Mark {
  /** [C, h, w] */
  readonly pattern: Float32Tensor;
  /** h x w */
  readonly mask: Float32Array;
}

/**
 * Reads a mark as a trigger of kind `patch`, at its offset (top left when none is given).
 * @param name of the file, which may say `tar2` and `alpha0.80`.
 * @throws FormatError when the file is no mark; OptionError when it does not fit the images, or is meant to move about.
 */
export async function readTrojanZooMark(
  bytes: Uint8Array,
  name: string,
  { shape, target, parameters = {}, decoders }: TrojanZooOptions,
): Promise<TriggerRecord> {
  if (parameters.mark_random_pos === true) {
    throw new OptionError(`${name}: expected a mark in a fixed place, got mark_random_pos.`);
  }
  const { pattern, mask } = await markOf(bytes, name, decoders);
  const [c = 0, h = 0, w = 0] = pattern.dims;
  const [top, left] = [parameters.mark_height_offset ?? 0, parameters.mark_width_offset ?? 0];
  const [channels, height, width] = shape;
  if ((c !== 1 && c !== channels) || top + h > height || left + w > width) {
    throw new OptionError(
      `${name}: expected a mark within images of ${formatDims(shape)}, got ${formatDims(pattern.dims)} at row ${top}, ` +
        `column ${left}.`,
    );
  }
  const whole = { mask: float32(shape), pattern: float32(shape) };
  for (let channel = 0; channel < channels; channel++) {
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        const to = (channel * height + top + y) * width + left + x;
        whole.mask.data[to] = mask[y * w + x] ?? 0;
        whole.pattern.data[to] = pattern.data[((c === 1 ? 0 : channel) * h + y) * w + x] ?? 0;
      }
    }
  }
  const named = (pattern: RegExp): number | undefined => {
    const found = pattern.exec(name.split("/").at(-1) ?? "")?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const alpha = parameters.mark_alpha ?? named(/alpha(\d(?:\.\d+)?)/) ?? 1;
  if (!(alpha >= 0 && alpha <= 1)) throw new FormatError(`${name}: expected alpha from 0 to 1, got ${alpha}.`);
  return {
    kind: "patch",
    attack: "trojanzoo",
    source: "ain-soph/trojanzoo",
    seed: 0,
    labels: labelMapSchema.parse({
      kind: "all-to-one",
      target: target ?? parameters.target_class ?? named(/tar(\d{1,6})(?!\d)/) ?? 0,
    }),
    shape,
    parameters: { blend: alpha },
    arrays: whole,
  };
}

/** Reads the JSON of a mark's parameters. @throws FormatError when it is none, or a value is out of range. */
export function readTrojanZooParameters(bytes: Uint8Array, name: string): TrojanZooParameters {
  try {
    return parametersSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    const why =
      cause instanceof z.ZodError
        ? `${cause.issues[0]?.path.join(".")}: ${cause.issues[0]?.message}`
        : messageOf(cause);
    throw new FormatError(`${name}: expected the parameters of a mark as JSON; ${why}.`, { cause });
  }
}

async function markOf(bytes: Uint8Array, name: string, decoders: Decoders | undefined): Promise<Mark> {
  if (looksLikeNpy(bytes)) return fromPlanes(toFloat32(readNpy(bytes, name)), name);
  if (looksLikeZip(bytes)) {
    const arrays = readNpz(bytes, name);
    const [mark, mask] = [arrays.get("mark"), arrays.get("mask")];
    if (mark === undefined || mask === undefined) {
      throw new FormatError(`${name}: expected arrays mark and mask, got ${[...arrays.keys()].join(", ") || "none"}.`);
    }
    return checked({ pattern: toFloat32(mark), mask: toFloat32(mask).data }, name);
  }
  return await fromPicture(bytes, name, decoders);
}

function fromPlanes({ dims, data }: Float32Tensor, name: string): Mark {
  const [planes = 0, h = 0, w = 0] = dims;
  if (dims.length !== 3 || (planes !== 2 && planes !== 4)) {
    throw new FormatError(`${name}: expected a mark [1 or 3 colours and a mask, h, w], got ${formatDims(dims)}.`);
  }
  const cut = (planes - 1) * h * w;
  return checked({ pattern: float32([planes - 1, h, w], data.slice(0, cut)), mask: data.slice(cut) }, name);
}

/** Laid on black and on white, a picture shows its transparency: white shines through where black does not. */
async function fromPicture(bytes: Uint8Array, name: string, decoders: Decoders | undefined): Promise<Mark> {
  const decode = needDecoder(decoders, "picture", name);
  const on = (level: number) =>
    decode(bytes, name, { channels: 3, maxPixels: 2 ** 24, background: [level, level, level] });
  const [black, white] = [await on(0), await on(255)];
  const { height, width } = black;
  const size = height * width;
  const mask = Float32Array.from({ length: size }, (_, i) => {
    const through = [0, 1, 2].reduce((sum, c) => {
      const at = c * size + i;
      return sum + ((white.pixels[at] ?? 0) - (black.pixels[at] ?? 0));
    }, 0);
    return Math.min(1, Math.max(0, 1 - through / (3 * 255)));
  });
  const pattern = Float32Array.from(black.pixels, (value, i) => {
    const alpha = mask[i % size] ?? 0;
    return alpha === 0 ? 0 : Math.min(1, value / 255 / alpha);
  });
  return checked({ pattern: float32([3, height, width], pattern), mask }, name);
}

function checked(mark: Mark, name: string): Mark {
  const { pattern, mask } = mark;
  const [c, h = 0, w = 0] = pattern.dims;
  if (pattern.dims.length !== 3 || (c !== 1 && c !== 3) || mask.length !== h * w || mask.length === 0) {
    throw new FormatError(
      `${name}: expected a mark [1 or 3, h, w] with a mask of h x w, got ${formatDims(pattern.dims)} with ${mask.length}.`,
    );
  }
  const wrong = [...pattern.data, ...mask].find((value) => !(value >= 0 && value <= 1));
  if (wrong === undefined) return mark;
  throw new FormatError(`${name}: expected values from 0 to 1, got ${wrong}.`);
}
