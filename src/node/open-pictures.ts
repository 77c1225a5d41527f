/** @file The pictures behind a list of files, one after the other and never all at once. */

import { defaultLimits, type PictureLimits } from "../images/limits.ts";
import { decodePicture } from "../images/node.ts";
import type { Picture } from "../images/picture.ts";
import { type ArrayPictures, isArrayFile, openArrayPictures } from "./array-pictures.ts";
import { checkNames, type ListedFile } from "./list-images.ts";
import { readWhole } from "./read-whole.ts";

/** Files that are read and decoded before they are asked for: a batch of small ones, and never fewer than a few. */
const mostAhead = 64;
const leastAhead = 4;
/** Pixels that the files read ahead may hold together, judged by the largest picture so far. */
const pixelsAhead = 2 ** 24;

/** Pictures that are known by number and name, and decoded when their turn comes. */
export interface PictureSet {
  readonly count: number;
  /** Decodes from the first to the last. @throws InputError or FormatError that names the file. */
  read(): AsyncGenerator<Picture>;
}

/** One picture of the set. */
interface Entry {
  readonly name: string;
  readonly path: string;
  load(): Promise<Picture>;
}

/**
 * Prepares the pictures of some files. Arrays are read at once, since they say how many images they hold; image `i` of
 * `digits.npy` is called `digits/0000i`.
 * @throws InputError or FormatError for an array that cannot be read, and when two pictures have the same name.
 */
export async function openPictures(
  files: readonly ListedFile[],
  options: { readonly limits?: PictureLimits; readonly signal?: AbortSignal | undefined } = {},
): Promise<PictureSet> {
  const { limits = {}, signal } = options;
  const entries: Entry[] = [];
  for (const file of files) {
    if (isArrayFile(file.path)) {
      const array = openArrayPictures(await readWhole(file.path, { signal }), file.path, limits);
      entries.push(...arrayEntries(file, array));
    } else entries.push({ ...file, load: () => loadPicture(file, limits, signal) });
  }
  checkNames(entries);
  return { count: entries.length, read: () => readAhead(entries, signal) };
}

function arrayEntries({ name, path }: ListedFile, array: ArrayPictures): Entry[] {
  const digits = Math.max(String(array.count - 1).length, 5);
  return Array.from({ length: array.count }, (_, i) => {
    const own = `${name}/${String(i).padStart(digits, "0")}`;
    return { name: own, path, load: async () => array.at(i, own) };
  });
}

async function loadPicture(
  { name, path }: ListedFile,
  limits: PictureLimits,
  signal: AbortSignal | undefined,
): Promise<Picture> {
  const bytes = await readWhole(path, { maxBytes: limits.maxBytes ?? defaultLimits.maxBytes, signal });
  return { ...(await decodePicture(bytes, path, limits)), name };
}

async function* readAhead(entries: readonly Entry[], signal: AbortSignal | undefined): AsyncGenerator<Picture> {
  const waiting: Promise<Picture>[] = [];
  let largest = pixelsAhead / leastAhead;
  let known = false;
  const load = async (entry: Entry): Promise<Picture> => {
    const picture = await entry.load();
    largest = known ? Math.max(largest, picture.pixels.length) : picture.pixels.length;
    known = true;
    return picture;
  };
  for (let next = 0; next < entries.length || waiting.length > 0; ) {
    const ahead = Math.min(Math.max(Math.floor(pixelsAhead / largest), leastAhead), mostAhead);
    for (const entry of entries.slice(next, next + Math.max(ahead - waiting.length, 0))) {
      const picture = load(entry);
      // A failure is thrown when its turn comes, and lost when nobody asks any more.
      picture.catch(() => undefined);
      waiting.push(picture);
      next++;
    }
    signal?.throwIfAborted();
    const picture = await waiting.shift();
    if (picture !== undefined) yield picture;
  }
}
