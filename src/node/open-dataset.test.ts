import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FormatError, InputError, OptionError } from "../core/errors.ts";
import type { LabelledImages } from "../data/dataset.ts";
import { writeNpz } from "../data/npz.ts";
import { encodePng } from "../images/node.ts";
import { float32, type Tensor, tensor } from "../tensor/tensor.ts";
import { openDataset } from "./open-dataset.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "untrigger-"));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

/** Writes a picture whose pixels all have one value. */
async function picture(
  path: string,
  value: number,
  [channels, height, width] = [3, 2, 2] as [1 | 3, number, number],
): Promise<void> {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  const pixels = new Uint8Array(channels * height * width).fill(value);
  writeFileSync(join(root, path), await encodePng({ name: path, channels, height, width, pixels }));
}

/** The first pixel of every image, beside its label. */
function seen({ images, labels }: LabelledImages): [number, number][] {
  const size = images.data.length / labels.length;
  return [...labels].map((label, i) => [images.data[i * size] ?? -1, label]);
}

describe("a folder of class folders", () => {
  test("classes are numbered by name; a fixed fifth is for testing", async () => {
    for (let i = 0; i < 10; i++) {
      await picture(`cats/${i}.png`, i);
      await picture(`dogs/puppies/${i}.png`, 100 + i);
    }
    writeFileSync(join(root, "README.txt"), "no picture");
    const open = await openDataset(root);
    expect(open.dataset).toMatchObject({
      classes: ["cats", "dogs"],
      items: { train: 16, test: 4 },
      dims: { channels: 3, height: 2, width: 2 },
    });
    const all = await open.read("train+validation");
    const test = await open.read("test");
    for (const [pixel, label] of [...seen(all), ...seen(test)]) expect(label).toBe(pixel < 100 ? 0 : 1);
    expect([...seen(all), ...seen(test)].map(([pixel]) => pixel).sort((a, b) => a - b)).toEqual(
      [0, 100].flatMap((first) => Array.from({ length: 10 }, (_, i) => first + i)),
    );
    expect(seen(await (await openDataset(root)).read("test"))).toEqual(seen(test));
    expect((await open.read("train")).labels.length + (await open.read("validation")).labels.length).toBe(16);
  });

  test("train and test folders are the parts; val stands in for test", async () => {
    for (const [i, part] of ["train", "val"].entries()) {
      for (const [k, name] of ["b", "a"].entries()) await picture(`${part}/${name}/x.png`, 10 * i + k);
    }
    const open = await openDataset(root);
    expect(open.dataset.classes).toEqual(["a", "b"]);
    expect(seen(await open.read("train+validation"))).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(seen(await open.read("test"))).toEqual([
      [11, 0],
      [10, 1],
    ]);
  });

  test("a class may be called train", async () => {
    for (const name of ["train", "car"]) await picture(`${name}/x.png`, 1);
    expect((await openDataset(root)).dataset.classes).toEqual(["car", "train"]);
  });

  test("sizes must agree unless one is given; grey among colour becomes colour", async () => {
    await picture("train/a/0.png", 50);
    await picture("train/a/1.png", 60, [3, 4, 4]);
    await picture("train/a/2.png", 70, [1, 2, 2]);
    await picture("test/a/0.png", 80);
    const open = await openDataset(root);
    await expect(open.read("train+validation")).rejects.toThrow(
      "train/a/1.png: expected 3 x 2 x 2 like the first picture, got 3 x 4 x 4. Do give a size, or make them equal.",
    );
    const sized = await openDataset(root, { size: { height: 2, width: 2 } });
    expect(seen(await sized.read("train+validation")).map(([pixel]) => pixel)).toEqual([50, 60, 70]);
  });

  test.each([
    [
      "pictures in no class",
      ["x.png"],
      /expected pictures in folders named after their classes, or labels\.json, got x\.png/,
    ],
    ["no pictures", [], /expected PNG, JPEG, WebP or TIFF pictures in folders of classes, got none/],
    [
      "a class to test that is not trained",
      ["train/a/0.png", "test/b/0.png"],
      /expected pictures to train of class b, got none/,
    ],
  ])("refuses %s", async (_, paths, message) => {
    for (const path of paths) await picture(path, 1);
    await expect(openDataset(root)).rejects.toThrow(message);
    await expect(openDataset(root)).rejects.toBeInstanceOf(InputError);
  });

  test("names the picture that is damaged", async () => {
    await picture("a/0.png", 1);
    writeFileSync(join(root, "a/1.png"), "text");
    const open = await openDataset(root);
    const read = open.read("train+validation").then(() => open.read("test"));
    await expect(read).rejects.toThrow(/^a\/1\.png: expected a PNG, JPEG, WebP or TIFF picture/);
  });
});

describe("a folder with labels.json", () => {
  test("takes the pictures that it lists", async () => {
    for (let i = 0; i < 6; i++) await picture(`p${i}.png`, i);
    writeFileSync(join(root, "labels.json"), JSON.stringify({ "p0.png": 2, "p1.png": 0, "p4.png": 2 }));
    const open = await openDataset(root);
    expect(open.dataset.classes).toEqual(["0", "1", "2"]);
    const all = [...seen(await open.read("train+validation")), ...seen(await open.read("test"))];
    expect(all.sort()).toEqual([
      [0, 2],
      [1, 0],
      [4, 2],
    ]);
  });

  test("one for each part", async () => {
    for (const part of ["train", "test"]) {
      await picture(`${part}/x.png`, part.length);
      writeFileSync(join(root, `${part}/labels.json`), JSON.stringify({ "x.png": 1 }));
    }
    const open = await openDataset(root);
    expect(seen(await open.read("train+validation"))).toEqual([[5, 1]]);
    expect(seen(await open.read("test"))).toEqual([[4, 1]]);
    rmSync(join(root, "test/labels.json"));
    await expect(openDataset(root)).rejects.toThrow("expected test/labels.json beside train/labels.json, got none.");
  });

  test("names the picture that is not there", async () => {
    await picture("a.png", 1);
    writeFileSync(join(root, "labels.json"), JSON.stringify({ "a.png": 0, "b.png": 1 }));
    await expect(openDataset(root)).rejects.toThrow(/expected the picture b\.png of labels\.json, got none\.$/);
  });
});

describe("an npz file", () => {
  const pixels = (n: number, first: number): Tensor =>
    tensor(
      "uint8",
      [n, 2, 2],
      Uint8Array.from({ length: 4 * n }, (_, i) => first + Math.floor(i / 4)),
    );
  const write = (arrays: Readonly<Record<string, Tensor>>): string => {
    writeFileSync(join(root, "x.npz"), writeNpz(new Map(Object.entries(arrays))));
    return join(root, "x.npz");
  };

  test.each([
    ["train_images", "train_labels", "test_images", "test_labels"],
    ["x_train", "y_train", "x_test", "y_test"],
  ] as const)("of %s and %s", async (a, b, c, d) => {
    const path = write({
      [a]: pixels(3, 10),
      [b]: tensor("int64", [3, 1], BigInt64Array.of(0n, 1n, 2n)),
      [c]: pixels(2, 20),
      [d]: tensor("uint8", [2], Uint8Array.of(2, 0)),
    });
    const open = await openDataset(path);
    expect(open.dataset).toMatchObject({ classes: ["0", "1", "2"], dims: { channels: 1, height: 2, width: 2 } });
    expect(seen(await open.read("train+validation"))).toEqual([
      [10, 0],
      [11, 1],
      [12, 2],
    ]);
    expect(seen(await open.read("test"))).toEqual([
      [20, 2],
      [21, 0],
    ]);
  });

  test("of images and labels alone keeps a fifth for testing", async () => {
    const labels = tensor(
      "int32",
      [20],
      Int32Array.from({ length: 20 }, (_, i) => i % 2),
    );
    const open = await openDataset(write({ images: pixels(20, 0), labels }));
    expect(open.dataset.items).toEqual({ train: 16, test: 4 });
    expect((await open.read("test")).labels.length).toBe(4);
  });

  const one = tensor("uint8", [1], Uint8Array.of(0));
  test.each([
    [
      "no labels",
      { images: pixels(1, 0) },
      /expected images and labels \(or train_images and train_labels\), got images \[1, 2, 2\]/,
    ],
    ["too few labels", { images: pixels(2, 0), labels: one }, /expected 2 labels, got 1/],
    [
      "labels that are no integers",
      { images: pixels(1, 0), labels: float32([1], [0.5]) },
      /expected a list of integers, got float32 \[1\]/,
    ],
    [
      "a negative label",
      { images: pixels(1, 0), labels: tensor("int8", [1], Int8Array.of(-1)) },
      /expected class ids below 65536, got -1 at 0/,
    ],
    [
      "parts of two sizes",
      {
        train_images: pixels(1, 0),
        train_labels: one,
        test_images: tensor("uint8", [1, 3, 2, 2], new Uint8Array(12)),
        test_labels: one,
      },
      /expected images to test of \[1, 2, 2\], got \[3, 2, 2\]/,
    ],
    ["floats of bytes", { images: float32([1, 1, 1, 1], [255]), labels: one }, /expected floats in \[0, 1\], got 255/],
  ])("refuses %s", async (_, arrays, message) => {
    const path = write(arrays as unknown as Readonly<Record<string, Tensor>>);
    const read = openDataset(path).then((open) => open.read("train+validation"));
    await expect(read).rejects.toThrow(message);
    await expect(openDataset(path).then((open) => open.read("train+validation"))).rejects.toBeInstanceOf(FormatError);
  });
});

describe("by name", () => {
  test("a set that is made on the spot needs no files", async () => {
    const open = await openDataset("shapes", { env: { UNTRIGGER_DATA: root } });
    const few = await open.read("validation", { rows: () => [0, 1] });
    expect(few.images.dims).toEqual([2, 3, 32, 32]);
  });

  test("says what is not there", async () => {
    const env = { UNTRIGGER_DATA: root };
    await expect(openDataset("shaeps", { env })).rejects.toBeInstanceOf(OptionError);
    await expect(openDataset("shaeps", { env })).rejects.toThrow('Did you mean "shapes"?');
    await expect(openDataset("cifar-10", { env })).rejects.toThrow('Do run "untrigger data get cifar-10".');
    await expect(openDataset("./nowhere", { env })).rejects.toThrow(
      "./nowhere: expected a folder of pictures or an npz file",
    );
  });
});
