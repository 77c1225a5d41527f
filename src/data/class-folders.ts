/** @file From the paths of a folder to classes: `class/name.png`, or the ids that a `labels.json` gives. */
import { FormatError, InputError } from "../core/errors.ts";
import type { Part } from "./dataset.ts";
import { type LabelledPath, type PictureIndex, withTestPart } from "./picture-folder.ts";
import { printable } from "./quote.ts";

/** What people call the folders of the two parts, best first. */
const partFolders: Readonly<Record<Part, readonly string[]>> = {
  train: ["train", "training"],
  test: ["test", "val", "valid", "validation"],
};

/**
 * What the paths of each part begin with, where a folder is divided: nothing for both when it is not. A folder that
 * holds others beside those of its parts is not, so that a class may be called `train`.
 */
export function partPrefixes(paths: readonly string[]): Readonly<Record<Part, string | undefined>> {
  const tops = new Set(paths.filter((path) => path.includes("/")).map((path) => path.split("/")[0] ?? ""));
  const known = [...partFolders.train, ...partFolders.test];
  const find = (part: Part): string | undefined => partFolders[part].find((name) => tops.has(name));
  const [train, test] = [find("train"), find("test")];
  if (train === undefined || [...tops].some((name) => !known.includes(name))) return { train: "", test: undefined };
  return { train: `${train}/`, test: test === undefined ? undefined : `${test}/` };
}

/**
 * The index of `class/name.png` (deeper folders count to their class), or of `train/class/name.png` and
 * `test/class/name.png` (or `val`). Classes are numbered by name. Without a test folder a fixed fifth is the test part.
 * @param paths of pictures. @param folder what to call it in messages.
 * @throws InputError when a picture lies in no class, or a class has pictures to test and none to train.
 */
export function classFolders(paths: readonly string[], folder: string): PictureIndex {
  const prefixes = partPrefixes(paths);
  const found = { train: [] as [string, string][], test: [] as [string, string][] };
  for (const part of ["train", "test"] as const) {
    const prefix = prefixes[part];
    if (prefix === undefined) continue;
    for (const path of paths.filter((name) => name.startsWith(prefix))) {
      const [label = "", ...rest] = path.slice(prefix.length).split("/");
      if (rest.length === 0) {
        throw new InputError(
          `${folder}: expected pictures in folders named after their classes, or labels.json, got ${printable(path)}.`,
        );
      }
      found[part].push([path, label]);
    }
  }
  const classes = [...new Set(found.train.map(([, label]) => label))].sort();
  const ids = new Map(classes.map((name, id) => [name, id]));
  const labelled = (part: Part): LabelledPath[] =>
    found[part].map(([path, name]) => {
      const label = ids.get(name);
      if (label !== undefined) return { path, label };
      throw new InputError(`${folder}: expected pictures to train of class ${printable(name)}, got none.`);
    });
  return { classes, parts: withTestPart(labelled("train"), labelled("test")) };
}

/**
 * The index of a `labels.json`, or of `train/labels.json` and `test/labels.json`. Classes are named by their ids.
 * @param labels ids by path below the folder, for each part that has them.
 * @param paths of the pictures that are there.
 * @throws FormatError naming a picture that a file of labels lists and the folder lacks.
 */
export function labelledFolder(
  labels: Readonly<Record<Part, ReadonlyMap<string, number>>>,
  paths: ReadonlySet<string>,
  folder: string,
): PictureIndex {
  const listed = (part: Part): LabelledPath[] => {
    const rows = [...labels[part]].map(([path, label]) => ({ path, label }));
    const missing = rows.find(({ path }) => !paths.has(path));
    if (missing === undefined) return rows;
    throw new FormatError(`${folder}: expected the picture ${printable(missing.path)} of labels.json, got none.`);
  };
  const [train, test] = [listed("train"), listed("test")];
  const most = [...train, ...test].reduce((largest, { label }) => Math.max(largest, label), -1);
  const classes = Array.from({ length: most + 1 }, (_, id) => String(id));
  return { classes, parts: withTestPart(train, test) };
}
