/** @file A data set in one npz file: arrays of images beside arrays of labels. */
import { basename } from "node:path";
import { FormatError } from "../core/errors.ts";
import { chosenRows, labelsAt } from "../data/choose-rows.ts";
import type { Dataset, Part } from "../data/dataset.ts";
import { readNpz } from "../data/npz.ts";
import { ownFacts, withTestPart } from "../data/picture-folder.ts";
import { pictureRows } from "../data/picture-rows.ts";
import { formatDims } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type ArrayPictures, arrayPictures } from "./array-pictures.ts";

/** Names of images and labels: of the two parts, and of a file that is not divided. */
const pairs: Readonly<Record<Part | "all", readonly (readonly [string, string])[]>> = {
  train: [
    ["train_images", "train_labels"],
    ["x_train", "y_train"],
  ],
  test: [
    ["test_images", "test_labels"],
    ["x_test", "y_test"],
    ["val_images", "val_labels"],
  ],
  all: [
    ["images", "labels"],
    ["data", "labels"],
    ["x", "y"],
  ],
};
const MOST_CLASSES = 65_536;

/** Where an image lies and what it shows. */
interface Row {
  readonly pictures: ArrayPictures;
  readonly index: number;
  readonly label: number;
}

/**
 * The data set of an npz file: `images` and `labels`; or `train_images`, `train_labels`, `test_images`, `test_labels`;
 * or `x_train`, `y_train`, `x_test`, `y_test`. Images are [N, C, H, W], [N, H, W, C] or [N, H, W], uint8 or floats in
 * [0, 1]; labels are N integers. Without images to test a fixed fifth is the test part.
 * @throws FormatError when it holds something else.
 */
export function npzDataset(bytes: Uint8Array, path: string): Dataset {
  const arrays = readNpz(bytes, path);
  const train = rowsOfPair(arrays, [...pairs.train, ...pairs.all], path);
  const test = rowsOfPair(arrays, pairs.test, path);
  const [first] = train;
  if (first === undefined) {
    const list = [...arrays].map(([name, { dims }]) => `${name} ${formatDims(dims)}`).join(", ") || "nothing";
    throw new FormatError(`${path}: expected images and labels (or train_images and train_labels), got ${list}.`);
  }
  const { channels, height, width } = first.pictures;
  const dims = { channels, height, width };
  const wrong = test[0]?.pictures;
  if (wrong !== undefined && (wrong.channels !== channels || wrong.height !== height || wrong.width !== width)) {
    const got = formatDims([wrong.channels, wrong.height, wrong.width]);
    throw new FormatError(`${path}: expected images to test of ${formatDims([channels, height, width])}, got ${got}.`);
  }
  const most = [...train, ...test].reduce((largest, { label }) => Math.max(largest, label), 0);
  const divided = withTestPart(train, test);
  const name = basename(path);
  return {
    ...ownFacts(name),
    classes: Array.from({ length: most + 1 }, (_, id) => String(id)),
    dims,
    items: { train: divided.train.length, test: divided.test.length },
    read: async (_source, part, options = {}) => {
      const { signal, onProgress } = options;
      const own = divided[part];
      const labels = Uint16Array.from(own, ({ label }) => label);
      const rows = chosenRows({ labels }, options) ?? [...labels.keys()];
      const load = async (i: number): Promise<ReturnType<ArrayPictures["at"]>> => {
        const row = own[rows[i] ?? 0];
        if (row === undefined) throw new RangeError(`internal: image ${i} of ${rows.length}`);
        return row.pictures.at(row.index, name);
      };
      return {
        images: await pictureRows(rows.length, load, { dims, name, signal, onProgress }),
        labels: labelsAt(labels, rows),
      };
    },
  };
}

function rowsOfPair(
  arrays: ReadonlyMap<string, Tensor>,
  names: readonly (readonly [string, string])[],
  path: string,
): Row[] {
  for (const [imagesName, labelsName] of names) {
    const [images, labels] = [arrays.get(imagesName), arrays.get(labelsName)];
    if (images === undefined || labels === undefined) continue;
    const pictures = arrayPictures(images, `${path}: ${imagesName}`, { takesGrey: true });
    const ids = idsOf(labels, `${path}: ${labelsName}`);
    if (ids.length !== pictures.count) {
      throw new FormatError(`${path}: expected ${pictures.count} ${labelsName}, got ${ids.length}.`);
    }
    return ids.map((label, index) => ({ pictures, index, label }));
  }
  return [];
}

function idsOf({ dtype, dims, data }: Tensor, name: string): number[] {
  const isList = dims.length === 1 || (dims.length === 2 && dims[1] === 1);
  if (!isList || /float/.test(dtype)) {
    throw new FormatError(`${name}: expected a list of integers, got ${dtype} ${formatDims(dims)}.`);
  }
  const ids = Array.from(data, Number);
  const wrong = ids.findIndex((id) => !(id >= 0 && id < MOST_CLASSES));
  if (wrong === -1) return ids;
  throw new FormatError(`${name}: expected class ids below ${MOST_CLASSES}, got ${ids[wrong]} at ${wrong}.`);
}
