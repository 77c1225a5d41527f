/** @file The pictures of a job's request. */
import { z } from "zod";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { fromBase64 } from "../pictures.ts";

/** One picture: a name for its results, its file in base64, and what it shows where that is known. */
export const jobImage = z.strictObject({
  name: z.string().min(1).max(200),
  data: z.string(),
  label: z.number().int().min(0).max(65535).optional(),
});

/** A picture of a request. */
export interface JobPicture {
  /** Without extension; a path of safe names below a folder. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly label: number | undefined;
}

/** A part of a path that stays where it is put, on every file system. */
const PART = /^[\p{L}\p{N}_][\p{L}\p{N}_ .()@+-]*$/u;

/**
 * The pictures of a request, with their names checked.
 * @throws ShapeError for none or too many, OptionError for a name that could leave its folder or comes twice, FormatError
 * for what is no base64.
 */
export function readJobImages(images: readonly z.infer<typeof jobImage>[], most: number): JobPicture[] {
  if (images.length < 1 || images.length > most) {
    throw new ShapeError(`images: expected from 1 to ${most} pictures, got ${images.length}.`);
  }
  const names = new Set<string>();
  return images.map(({ name, data, label }) => {
    const bare = name.replace(/\.(png|jpe?g|webp|tiff?)$/i, "");
    const parts = bare.split("/");
    if (!parts.every((part) => PART.test(part) && !part.endsWith(".") && !part.endsWith(" "))) {
      throw new OptionError(`images: expected names of letters, digits and _ .()@+-, got "${name.slice(0, 80)}".`);
    }
    const key = bare.toLowerCase();
    if (names.has(key)) throw new OptionError(`images: expected every name once, got "${bare.slice(0, 80)}" twice.`);
    names.add(key);
    return { name: bare, bytes: fromBase64(data, `images: ${name.slice(0, 80)}`), label };
  });
}
