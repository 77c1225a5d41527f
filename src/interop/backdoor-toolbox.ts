/**
 * @file A poisoned set of backdoor-toolbox: the files `imgs`, `labels`, `poison_indices`, and `cover_indices` where the
 * attack has samples that carry the trigger with their true label.
 * @source vtu81/backdoor-toolbox, create_poisoned_set.py.
 */
import { FormatError } from "../core/errors.ts";
import type { LabelledImages } from "../data/dataset.ts";
import { toFloat32 } from "../nn/checkpoints/weights.ts";
import { bytesFromUnit } from "../tensor/image-bytes.ts";
import { formatDims } from "../tensor/shape.ts";
import { integersIn, openTorchFile, tensorIn } from "./torch-file.ts";

/** The files of a set. */
export interface BackdoorToolboxFiles {
  readonly imgs: Uint8Array;
  readonly labels: Uint8Array;
  readonly poison_indices: Uint8Array;
  readonly cover_indices?: Uint8Array | undefined;
}

/** A poisoned training set; labels are the attacker's. */
export interface BackdoorToolboxSet extends LabelledImages {
  readonly poisonIndices: Int32Array;
  /** Images with the trigger and their true label. */
  readonly coverIndices: Int32Array;
}

/**
 * Reads a poisoned set.
 * @throws FormatError naming the file when it is damaged, asks for code, is of another shape or leaves [0, 1] (the
 * toolbox stores some sets normalised), and when the files do not agree.
 */
export function readBackdoorToolboxSet(files: BackdoorToolboxFiles): BackdoorToolboxSet {
  const imgs = openTorchFile(files.imgs, "imgs");
  const images = toFloat32(tensorIn(imgs.value, imgs, "imgs"));
  const [count = 0, channels] = images.dims;
  if (images.dims.length !== 4 || (channels !== 1 && channels !== 3) || images.dims.includes(0)) {
    throw new FormatError(`imgs: expected images [N, 1 or 3, H, W], got ${formatDims(images.dims)}.`);
  }
  const outside = images.data.findIndex((value) => !(value >= -1e-3 && value <= 1 + 1e-3));
  if (outside !== -1) {
    throw new FormatError(
      `imgs: expected values from 0 to 1, got ${images.data[outside]} at ${outside}; the set is normalised. ` +
        "Do undo that with the data set's mean and deviation.",
    );
  }
  const row = (bytes: Uint8Array, subject: string, limit: number): number[] => {
    const file = openTorchFile(bytes, subject);
    return integersIn(file.value, file, { subject, limit });
  };
  const labels = row(files.labels, "labels", 65_536);
  if (labels.length !== count) throw new FormatError(`labels: expected ${count}, one an image, got ${labels.length}.`);
  return {
    images: { dtype: "uint8", dims: images.dims, data: bytesFromUnit(images) },
    labels: Uint16Array.from(labels),
    poisonIndices: Int32Array.from(row(files.poison_indices, "poison_indices", count)),
    coverIndices: Int32Array.from(
      files.cover_indices === undefined ? [] : row(files.cover_indices, "cover_indices", count),
    ),
  };
}
