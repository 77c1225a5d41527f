/** @file Pictures in a folder with their classes as a data set: the files were listed by whoever sees the disk. */
import { FormatError, InputError } from "../core/errors.ts";
import { chosenRows, labelsAt } from "./choose-rows.ts";
import type { Dataset, ImageDims, Part } from "./dataset.ts";
import { type DecodedPicture, needDecoder } from "./decoders.ts";
import { pictureRows } from "./picture-rows.ts";
import { heldOutRows } from "./splits.ts";

/** Share of the pictures that are kept for the test part where the folder has none of its own. */
export const TEST_SHARE = 0.2;
/** Largest class id and one. */
const MOST_CLASSES = 65_536;

/** A picture by its path below the folder, with slashes. */
export interface LabelledPath {
  readonly path: string;
  readonly label: number;
}

/** Which picture shows what, in which part. */
export interface PictureIndex {
  readonly classes: readonly string[];
  readonly parts: Readonly<Record<Part, readonly LabelledPath[]>>;
}

/** What a folder is, beside its index. */
export interface PictureFolder extends PictureIndex {
  readonly name: string;
  readonly dims: ImageDims;
  /** Resizes pictures of another size; refuses them when false. */
  readonly resizes: boolean;
}

/**
 * A data set of the pictures of a folder. Grey pictures in a colour set become colour by copying.
 * @throws InputError when there is no picture; FormatError for more than 65,536 classes.
 */
export function pictureFolderDataset({ name, classes, parts, dims, resizes }: PictureFolder): Dataset {
  if (parts.train.length + parts.test.length === 0) throw new InputError(`${name}: expected pictures, got none.`);
  if (classes.length > MOST_CLASSES) {
    throw new FormatError(`${name}: expected at most ${MOST_CLASSES} classes, got ${classes.length}.`);
  }
  return {
    ...ownFacts(name),
    classes,
    dims,
    items: { train: parts.train.length, test: parts.test.length },
    read: async (source, part, options = {}) => {
      const { signal, onProgress } = options;
      const decode = needDecoder(options.decoders, "picture", name);
      const all = Uint16Array.from(parts[part], ({ label }) => label);
      const rows = chosenRows({ labels: all }, options) ?? [...all.keys()];
      const load = async (i: number): Promise<DecodedPicture> => {
        const { path } = parts[part][rows[i] ?? 0] ?? { path: "" };
        const picture = await decode(await source(path, signal), path, { maxPixels: 64_000_000 });
        const isSize = picture.height === dims.height && picture.width === dims.width;
        if (picture.channels > dims.channels || !(isSize || resizes)) {
          throw new FormatError(
            `${path}: expected ${sizeOf(dims)} like the first picture, got ${sizeOf(picture)}. Do give a size, or make them equal.`,
          );
        }
        return picture.channels < dims.channels ? { ...picture, channels: 3, pixels: threeTimes(picture) } : picture;
      };
      return {
        images: await pictureRows(rows.length, load, { dims, name, signal, onProgress }),
        labels: labelsAt(all, rows),
      };
    },
  };
}

/** The facts of a data set that lies on the user's disk. */
export function ownFacts(name: string): Pick<Dataset, OwnFact> {
  return {
    name,
    summary: `the images of ${name}`,
    homepage: "",
    source: "the user's own",
    licence: "unknown",
    packings: [],
    folders: [],
  };
}

type OwnFact = "name" | "summary" | "homepage" | "source" | "licence" | "packings" | "folders";

/** The training part as given, or without a fixed fifth of each class when there is no test part. */
export function withTestPart<T extends { readonly label: number }>(
  train: readonly T[],
  test: readonly T[],
): Record<Part, readonly T[]> {
  if (test.length > 0) return { train, test };
  const held = new Set(heldOutRows({ labels: Uint16Array.from(train, ({ label }) => label) }, TEST_SHARE, "test"));
  return { train: train.filter((_, row) => !held.has(row)), test: train.filter((_, row) => held.has(row)) };
}

function sizeOf({ channels, height, width }: ImageDims): string {
  return `${channels} x ${height} x ${width}`;
}

function threeTimes({ pixels }: DecodedPicture): Uint8Array {
  const planes = new Uint8Array(3 * pixels.length);
  for (let c = 0; c < 3; c++) planes.set(pixels, c * pixels.length);
  return planes;
}
