/** @file From what a user types (files, folders, patterns) to files with the names that their results will have. */
import { stat } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { InputError } from "../core/errors.ts";
import { fileError } from "./file-error.ts";
import { entriesOf, expandGlob, globBase, isGlob, isKind } from "./glob.ts";

/** A file that holds one picture, or many (npy, npz, IDX). */
export interface ListedFile {
  readonly path: string;
  /** Path without extension, with slashes, relative to the folder that the user named. */
  readonly name: string;
}

/** What is taken from a folder or a pattern; a file that is named itself may be called anything. */
const pictureFile = /\.(png|jpe?g|webp|tiff?|npy|npz)$|idx3-ubyte(\.gz)?$/i;

/**
 * Finds the files behind files, folders (with all folders inside) and patterns. They come in
 * the order of the inputs, those of a folder or pattern by name. Results of a folder or pattern are named relative to it, single files relative to the folder they share.
 * @param exclude a folder that is left out, such as the one for results.
 * @throws InputError for an input that is missing, a folder without pictures, a pattern that matches none, and two
 * files whose results would have the same name.
 */
export async function listImages(
  inputs: readonly string[],
  { exclude }: { readonly exclude?: string | undefined } = {},
): Promise<ListedFile[]> {
  const isOutside = (path: string): boolean =>
    exclude === undefined || !`${resolve(path)}${sep}`.startsWith(`${resolve(exclude)}${sep}`);
  const kinds = await Promise.all(inputs.map(kindOf));
  const shared = sharedFolder(inputs.filter((_, i) => kinds[i] === "file"));
  const found: ListedFile[] = [];
  for (const [i, input] of inputs.entries()) {
    const kind = kinds[i];
    const base = kind === "file" ? shared : kind === "glob" ? globBase(input) : input;
    const paths = kind === "file" ? [input] : kind === "glob" ? await expandGlob(input) : await walk(input, isOutside);
    const taken = kind === "file" ? paths : paths.filter((path) => pictureFile.test(path) && isOutside(path));
    if (taken.length === 0) throw noPictures(input, kind === "glob");
    found.push(...taken.map((path) => ({ path, name: nameOf(base, path) })).sort(byName));
  }
  checkNames(found);
  return found;
}

/** @throws InputError when two files have the same name. */
export function checkNames(files: readonly ListedFile[]): void {
  const paths = new Map<string, string>();
  for (const { name, path } of files) {
    const other = paths.get(name);
    if (other !== undefined) {
      throw new InputError(
        `${path}: expected a name of its own for its results, got "${name}" like ${other}. Do rename one, or use two output folders.`,
      );
    }
    paths.set(name, path);
  }
}

async function kindOf(input: string): Promise<"file" | "folder" | "glob"> {
  try {
    return (await stat(input)).isDirectory() ? "folder" : "file";
  } catch (cause) {
    if (isGlob(input)) return "glob";
    throw fileError(input, "a picture, a folder or a pattern", cause);
  }
}

async function walk(folder: string, isOutside: (path: string) => boolean): Promise<string[]> {
  const paths: string[] = [];
  for (const entry of await entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.name.startsWith(".")) continue;
    if (entry.isDirectory()) {
      if (isOutside(path)) paths.push(...(await walk(path, isOutside)));
    } else if (await isKind(path, entry, "isFile")) paths.push(path);
  }
  return paths;
}

function nameOf(folder: string, path: string): string {
  const way = relative(folder, path);
  const name = way.replace(/\.(gz)$/i, "").replace(/\.[^.\\/]+$/, "");
  return (name === "" ? way : name).split(sep).join("/");
}

/** The deepest folder that holds all files. */
function sharedFolder(paths: readonly string[]): string {
  const [first = ".", ...others] = paths.map((path) => dirname(resolve(path)));
  let folder = first;
  while (others.some((other) => other !== folder && !other.startsWith(folder === sep ? sep : folder + sep))) {
    folder = dirname(folder);
  }
  return folder;
}

function noPictures(input: string, isPattern: boolean): InputError {
  const place = isPattern ? "files that match this pattern" : "files in this folder";
  return new InputError(`${input}: expected ${place} of PNG, JPEG, WebP, TIFF, npy, npz or IDX, got none.`);
}

function byName(a: ListedFile, b: ListedFile): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : a.path < b.path ? -1 : 1;
}
