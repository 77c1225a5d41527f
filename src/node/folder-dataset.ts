/** @file A data set in a folder of pictures: by class folders, or with `labels.json`. */
import { basename, join, resolve } from "node:path";
import type { ByteSource } from "../core/byte-source.ts";
import { FormatError, InputError } from "../core/errors.ts";
import { classFolders, labelledFolder, partPrefixes } from "../data/class-folders.ts";
import type { Dataset, Part } from "../data/dataset.ts";
import { parseLabels } from "../data/labels.ts";
import { type PictureIndex, pictureFolderDataset } from "../data/picture-folder.ts";
import { decodePicture } from "../images/node.ts";
import { entriesOf, isKind } from "./glob.ts";

const pictureFile = /\.(png|jpe?g|webp|tiff?)$/i;
const LABELS = "labels.json";
const MOST_FILES = 5_000_000;

/** How a folder is to be read. */
export interface FolderOptions {
  /** Size that pictures are brought to; that of the first one, which all then must have, when left out. */
  readonly size?: { readonly height: number; readonly width: number } | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The data set of a folder: `labels.json` beside the pictures (or `train/labels.json` and `test/labels.json`), else
 * `class/name.png` (or `train/class/name.png` and `test/class/name.png`).
 * @param source reads the folder's files.
 * @throws InputError when there are no pictures or they lie in no class, FormatError when labels and pictures do not
 * agree or the first picture is damaged.
 */
export async function folderDataset(
  folder: string,
  source: ByteSource,
  { size, signal }: FolderOptions = {},
): Promise<Dataset> {
  const paths = await listFiles(folder, signal);
  const pictures = paths.filter((path) => pictureFile.test(path));
  const index = (await labelIndex({ folder, paths, pictures }, source, signal)) ?? classFolders(pictures, folder);
  const first = index.parts.train[0] ?? index.parts.test[0];
  if (first === undefined) {
    throw new InputError(`${folder}: expected PNG, JPEG, WebP or TIFF pictures in folders of classes, got none.`);
  }
  const { channels, height, width } = await decodePicture(await source(first.path, signal), join(folder, first.path));
  return pictureFolderDataset({
    ...index,
    name: basename(resolve(folder)),
    dims: { channels, height: size?.height ?? height, width: size?.width ?? width },
    resizes: size !== undefined,
  });
}

async function labelIndex(
  { folder, paths, pictures }: { folder: string; paths: readonly string[]; pictures: readonly string[] },
  source: ByteSource,
  signal: AbortSignal | undefined,
): Promise<PictureIndex | undefined> {
  const prefixes = partPrefixes(paths);
  const read = async (prefix: string | undefined): Promise<Map<string, number> | undefined> => {
    if (prefix === undefined || !paths.includes(prefix + LABELS)) return undefined;
    const labels = parseLabels(await source(prefix + LABELS, signal), join(folder, prefix + LABELS));
    return new Map([...labels].map(([path, label]) => [prefix + path, label]));
  };
  const whole = await read("");
  const found: Partial<Record<Part, ReadonlyMap<string, number>>> = {};
  if (whole === undefined) {
    for (const part of ["train", "test"] as const) {
      const labels = await read(prefixes[part]);
      if (labels !== undefined) found[part] = labels;
    }
    if (found.train === undefined) return undefined;
    if (prefixes.test !== undefined && found.test === undefined) {
      throw new FormatError(
        `${folder}: expected ${prefixes.test}${LABELS} beside ${prefixes.train}${LABELS}, got none.`,
      );
    }
  }
  const labels = { train: whole ?? found.train ?? new Map(), test: found.test ?? new Map<string, number>() };
  return labelledFolder(labels, new Set(pictures), folder);
}

/** All files below a folder by path with slashes, in order of their names; hidden ones left out. */
async function listFiles(folder: string, signal: AbortSignal | undefined): Promise<string[]> {
  const found: string[] = [];
  const walk = async (below: string): Promise<void> => {
    signal?.throwIfAborted();
    for (const entry of await entriesOf(join(folder, below))) {
      if (entry.name.startsWith(".")) continue;
      const path = `${below}${entry.name}`;
      if (entry.isDirectory()) await walk(`${path}/`);
      else if (await isKind(join(folder, path), entry, "isFile")) found.push(path);
      if (found.length > MOST_FILES) {
        throw new FormatError(`${folder}: expected at most ${MOST_FILES} files, got more.`);
      }
    }
  };
  await walk("");
  return found.sort();
}
