/** @file The pictures of a cell: each image as it was, attacked, purified, and what the purifier changed or found. */
import type { AttackedImages } from "../../bench/evaluate.ts";
import { type Picture, picturesFromTensor } from "../../images/picture.ts";
import { type GridCell, gridSheet, heatMap, panelZoom } from "../../images/sheet.ts";
import { winners } from "../../metrics/accuracy.ts";
import { rowsOf } from "../../tensor/rows.ts";
import type { Float32Tensor } from "../../tensor/tensor.ts";

/** What a defence shows of a batch. */
export interface ShownBatch {
  /** [N, C, H, W] purified; the input itself where nothing was purified. */
  readonly images: Float32Tensor;
  /** Maps [N, 1, H, W] in [0, 1]. */
  readonly evidence: Readonly<Record<string, Float32Tensor>>;
  /** [N, K] */
  readonly scores: Float32Tensor;
}

/** What a sheet is made of: clean images, or attacked ones with the clean images that they were made from. */
export interface SheetParts {
  readonly clean: { readonly images: Float32Tensor; readonly labels: ArrayLike<number> };
  readonly attacked: AttackedImages | undefined;
  /** Of the attacked images; of the clean ones where nothing is attacked. */
  readonly shown: ShownBatch;
}

/** One row an image; what the classifier says stands under the purified one, good when it is the image's label. */
export function sheetOf({ clean, attacked, shown }: SheetParts, count: number): Picture | undefined {
  const rows = Math.min(count, shown.images.dims[0] ?? 0);
  if (rows === 0) return undefined;
  const pictures = (images: Float32Tensor): Picture[] =>
    picturesFromTensor(rowsOf(images, 0, rows), Array.from({ length: rows }, String));
  const labels = attacked?.labels ?? clean.labels;
  const originals = Array.from({ length: rows }, (_, i) => {
    const row = attacked?.indices[i] ?? i;
    return picturesFromTensor(rowsOf(clean.images, row, row + 1), [String(i)])[0] as Picture;
  });
  const dirty = attacked === undefined ? undefined : pictures(attacked.images);
  const purified = pictures(shown.images);
  const called = winners(rowsOf(shown.scores, 0, rows));
  const maps = Object.entries(shown.evidence);
  const first = originals[0] as Picture;
  return gridSheet(
    ["original", ...(dirty === undefined ? [] : ["attacked"]), "purified", ...maps.map(([name]) => name)],
    originals.map((picture, i): GridCell[] => [
      { picture, caption: `class ${labels[i]}` },
      ...(dirty === undefined ? [] : [{ picture: dirty[i] as Picture }]),
      {
        picture: purified[i] as Picture,
        caption: `called ${called[i]}`,
        tone: called[i] === labels[i] ? "good" : "bad",
      },
      ...maps.map(([name, map]) => ({ picture: heatMap(name, rowsOf(map, i, i + 1)) })),
    ]),
    panelZoom(first),
  );
}
