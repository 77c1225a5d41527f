/**
 * @file Shapes: pictures that we draw from a seed, in colour, so that everything runs on machines that cannot download.
 * Texture, colour, place, size and clutter tell nothing of the class; only the outline does.
 */
import { uniforms } from "../core/noise.ts";
import { chosenRows, labelsAt } from "./choose-rows.ts";
import type { Dataset, Part } from "./dataset.ts";
import { paintInto } from "./shapes/kernels.ts";
import { alwaysFilled, outlines } from "./shapes/outlines.ts";
import { drawScene } from "./shapes/scene.ts";

const classes = Object.keys(outlines);

/** What is drawn. */
export interface ShapesFacts extends Pick<Dataset, "name" | "items" | "hashes"> {
  /** Pixels on each side. */
  readonly size: number;
  /** Integer 0..2^53-1. */
  readonly seed: number;
}

/** One picture. A function of its arguments: the same one at another size shows the same scene. */
export function drawShape(
  part: Part,
  index: number,
  { size, seed }: Pick<ShapesFacts, "size" | "seed">,
): { readonly pixels: Uint8Array; readonly label: number } {
  const pixels = new Uint8Array(3 * size * size);
  const label = labelOf(index);
  const stream = `shapes/${part}`;
  const grains = uniforms(seed, `${stream}/grain`, index, pixels.length);
  const name = classes[label] ?? "";
  const outline = outlines[name];
  if (outline === undefined) throw new RangeError(`internal: no outline of class ${label}`);
  const scene = drawScene(seed, stream, index);
  paintInto(pixels, alwaysFilled.has(name) ? { ...scene, line: 0 } : scene, { outline, size, grains });
  return { pixels, label };
}

/** A generated data set. Nothing is read from its source. */
export function shapesDataset({ name, size, seed, items, ...facts }: ShapesFacts): Dataset {
  return {
    ...facts,
    name,
    summary: `${new Intl.NumberFormat("en").format(items.train + items.test)} drawn colour ${size}x${size} pictures of ten shapes; no download.`,
    homepage: "https://creativecommons.org/publicdomain/zero/1.0/",
    source: "drawn by this package from a seed",
    licence: "CC0-1.0",
    classes,
    dims: { channels: 3, height: size, width: size },
    items,
    packings: [],
    folders: [],
    read: async (_source, part, options = {}) => {
      const { signal, onProgress } = options;
      const all = Uint16Array.from({ length: items[part] }, (_, index) => labelOf(index));
      const rows = chosenRows({ labels: all }, options) ?? [...all.keys()];
      const data = new Uint8Array(rows.length * 3 * size * size);
      for (const [i, index] of rows.entries()) {
        if (i % 100 === 0) await breathe(signal);
        data.set(drawShape(part, index, { size, seed }).pixels, i * 3 * size * size);
        onProgress?.(i + 1, rows.length);
      }
      return { images: { dtype: "uint8", dims: [rows.length, 3, size, size], data }, labels: labelsAt(all, rows) };
    },
  };
}

/** Every ten pictures show every class once. */
function labelOf(index: number): number {
  return index % classes.length;
}

/** Lets others run, and stops when asked to. */
async function breathe(signal: AbortSignal | undefined): Promise<void> {
  await Promise.resolve();
  signal?.throwIfAborted();
}

const items = { train: 10_000, test: 2000 };

/** Ten shapes at 32 x 32. */
export const shapes: Dataset = shapesDataset({
  name: "shapes",
  size: 32,
  seed: 0,
  items,
  hashes: {
    train: "a589b30a87f3f9772cade5b2a50829f5442de55b786dafab0ce95dfa31853e13",
    test: "ea90b8c6131a292c9250f60512580450db5e125599c63be26307dc0537aaa629",
  },
});

/** The same pictures at 64 x 64. */
export const shapes64: Dataset = shapesDataset({
  name: "shapes-64",
  size: 64,
  seed: 0,
  items,
  hashes: {
    train: "da03b275c798a930af77241e7e7f022865dc718484b21c428c8f4b44bffd8566",
    test: "d74b3ad116a73080ffebade24e2cc8a05a74dc6b15fb9a4168e2e4991bc4ae05",
  },
});
