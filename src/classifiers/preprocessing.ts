/**
 * @file What happens to an image in [0, 1] before a model sees it, read from Hugging Face's `preprocessor_config.json`
 * and from flags. Nothing is guessed: where neither says, there is no preprocessing to return.
 */
import { z } from "zod";
import { FormatError, OptionError } from "../core/errors.ts";

/** Flags; each wins over the file. */
export interface PreprocessingFlags {
  /** Mean per channel, or one for all, of the values that the model's training subtracted (after rescaling). */
  readonly mean?: number | readonly number[] | undefined;
  /** Deviation per channel, or one for all. */
  readonly std?: number | readonly number[] | undefined;
  /** Height and width that the model takes, or one number for both. */
  readonly size?: number | { readonly height: number; readonly width: number } | undefined;
}

/** A model's preprocessing: value = gain * x + shift, for x in [0, 1]; one number for all channels, or one each. */
export interface Preprocessing {
  readonly gain: readonly number[];
  readonly shift: readonly number[];
  /** The model takes channels in reverse order (BGR). */
  readonly reverse: boolean;
  readonly height: number | undefined;
  readonly width: number | undefined;
}

/** Images as they are. */
export const UNIT_RANGE: Preprocessing = { gain: [1], shift: [0], reverse: false, height: undefined, width: undefined };

const numbers = z.union([z.number(), z.array(z.number()).min(1)]);
const preprocessorFile = z.looseObject({
  image_mean: numbers.nullish(),
  image_std: numbers.nullish(),
  do_normalize: z.boolean().nullish(),
  do_rescale: z.boolean().nullish(),
  rescale_factor: z.number().nullish(),
  rescale_offset: z.boolean().nullish(),
  include_top: z.boolean().nullish(),
  do_flip_channel_order: z.boolean().nullish(),
  do_resize: z.boolean().nullish(),
  size: z.unknown().optional(),
  do_center_crop: z.boolean().nullish(),
  crop_size: z.unknown().optional(),
  crop_pct: z.number().nullish(),
});
type PreprocessorFile = z.infer<typeof preprocessorFile>;

/**
 * Reads a preprocessing.
 * @param file parsed `preprocessor_config.json`, where there is one.
 * @returns undefined when neither the file nor both of mean and std are given.
 * @throws FormatError when the file is none, OptionError when mean or std is missing or impossible.
 */
export function readPreprocessing(file: unknown, flags: PreprocessingFlags): Preprocessing | undefined {
  if (file === undefined || file === null) {
    if (flags.mean === undefined && flags.std === undefined) return undefined;
    return build({}, flags);
  }
  const parsed = preprocessorFile.safeParse(file);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new FormatError(`preprocessor_config.json: ${issue?.path.join(".") || "root"}: ${issue?.message}.`);
  }
  return build(parsed.data, flags);
}

/**
 * The error for a model whose preprocessing nobody states.
 * @param what the model, for the message.
 */
export function missingPreprocessing(what: string): OptionError {
  return new OptionError(
    `${what}: expected its preprocessing, got neither preprocessor_config.json nor flags. Do give the mean and deviation that it was trained with (such as --mean 0.5 --std 0.5), or --mean 0 --std 1 for none.`,
  );
}

function build(file: PreprocessorFile, flags: PreprocessingFlags): Preprocessing {
  const normalised = flags.mean !== undefined || flags.std !== undefined || file.do_normalize !== false;
  const mean = list("mean", normalised ? (flags.mean ?? file.image_mean) : 0);
  const std = list("std", normalised ? (flags.std ?? file.image_std) : 1);
  if (mean.length !== std.length && mean.length !== 1 && std.length !== 1) {
    throw new OptionError(`preprocessing: expected as many means as deviations, got ${mean.length} and ${std.length}.`);
  }
  const zero = std.find((value) => value <= 0);
  if (zero !== undefined) throw new OptionError(`std: expected numbers above 0, got ${zero}.`);
  // Hugging Face rescales pixels 0..255; ours are those divided by 255.
  const scale = file.do_rescale === false ? 255 : 255 * (file.rescale_factor ?? 1 / 255);
  const offset = file.rescale_offset === true ? -1 : 0;
  const channels = Math.max(mean.length, std.length);
  // EfficientNet's `include_top` divides by the deviation a second time.
  const power = file.include_top === true ? 2 : 1;
  const divisor = (c: number): number => (std[c] ?? std[0] ?? 1) ** power;
  const each = (value: (c: number) => number): number[] => Array.from({ length: channels }, (_, c) => value(c));
  return {
    gain: each((c) => near(scale) / divisor(c)),
    shift: each((c) => (offset - (mean[c] ?? mean[0] ?? 0)) / divisor(c) + 0),
    reverse: file.do_flip_channel_order === true,
    ...imageSize(file, flags),
  };
}

/** 255 * 0.00392156862745098 is 0.9999999999999999: the decimal of 1/255 is meant to undo 255. */
function near(scale: number): number {
  const whole = Math.round(scale);
  return whole > 0 && Math.abs(scale - whole) < 1e-6 * whole ? whole : scale;
}

function list(flag: "mean" | "std", value: number | readonly number[] | null | undefined): readonly number[] {
  if (value === undefined || value === null) {
    throw new OptionError(
      `preprocessing: expected a ${flag}, got none in preprocessor_config.json or flags. Do give --${flag}.`,
    );
  }
  const values = typeof value === "number" ? [value] : value;
  if (values.length === 0 || !values.every(Number.isFinite)) {
    throw new OptionError(`${flag}: expected finite numbers, got ${values.join(", ") || "none"}.`);
  }
  return values;
}

/** The size after resizing and cropping; undefined where it depends on the picture. */
function imageSize(file: PreprocessorFile, flags: PreprocessingFlags): Pick<Preprocessing, "height" | "width"> {
  if (flags.size !== undefined) return fixedSize(flags.size);
  if (file.do_center_crop !== false && (file.crop_size ?? undefined) !== undefined) return fixedSize(file.crop_size);
  if (file.do_resize === false) return { height: undefined, width: undefined };
  const { height, width } = fixedSize(file.size);
  if (height !== undefined || typeof file.crop_pct !== "number") return { height, width };
  // ConvNeXt resizes past the short edge and crops back to a square of it.
  return fixedSize((file.size as { shortest_edge?: unknown } | null | undefined)?.shortest_edge);
}

/** `224`, or `{ height, width }`; other forms (`shortest_edge` alone) do not fix a size. */
function fixedSize(size: unknown): Pick<Preprocessing, "height" | "width"> {
  const square = z.int().positive().safeParse(size);
  if (square.success) return { height: square.data, width: square.data };
  const both = z.looseObject({ height: z.int().positive(), width: z.int().positive() }).safeParse(size);
  return both.success ? { height: both.data.height, width: both.data.width } : { height: undefined, width: undefined };
}
