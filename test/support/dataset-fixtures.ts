/** @file Tiny data sets in every layout that the registry knows, written as their authors write theirs. */
import { gzipSync, zipSync } from "fflate";
import sharp from "sharp";
import type { ByteSource } from "../../src/core/byte-source.ts";
import { memorySource } from "../../src/core/byte-source.ts";
import { InputError } from "../../src/core/errors.ts";
import { sha256Hex } from "../../src/core/hash.ts";
import { cifarDataset } from "../../src/data/cifar-dataset.ts";
import type { Dataset } from "../../src/data/dataset.ts";
import { emojiDataset } from "../../src/data/emoji.ts";
import { gtsrb, gtsrbDataset } from "../../src/data/gtsrb.ts";
import { type IdxFile, type IdxFileName, idxDataset } from "../../src/data/idx-dataset.ts";
import { shapesDataset } from "../../src/data/shapes.ts";
import { tinyImagenetDataset } from "../../src/data/tiny-imagenet.ts";
import { bytesOf as bufferOf, global, int, little, type Piece, tuple } from "./pickle-bytes.ts";
import { tarOf } from "./tar.ts";

/** Files by name below the data set's folder. */
export type Files = Readonly<Record<string, Uint8Array>>;

/** A tiny data set, its files, and what a reader must make of it. */
export interface Fixture {
  readonly dataset: Dataset;
  /** As published. */
  readonly files: Files;
  /** The same content lying there in other ways: unpacked, another version. */
  readonly others: Readonly<Record<string, Files>>;
  /** Labels of both parts, in order. */
  readonly labels: { readonly train: readonly number[]; readonly test: readonly number[] };
  /** Files that are not what they should be, and what is said of them. */
  readonly refused: readonly (readonly [what: string, files: Files, message: RegExp])[];
}

/** The files as a folder would serve them. */
export function sourceOf(files: Files): ByteSource {
  return memorySource(files, (name) => new InputError(`${name}: expected a file, got nothing there.`));
}

/** Pieces one after the other, in memory of their own: a Buffer's `slice` would share it. */
const bytesOf = (...pieces: readonly Piece[]): Uint8Array => new Uint8Array(bufferOf(...pieces));
const noise = (size: number, seed: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => ((i + 1) * (2 * seed + 77) * 2654435761) >>> 24);
const asText = (value: string): Uint8Array => new TextEncoder().encode(value);
const counting = (count: number, classes: number): number[] => Array.from({ length: count }, (_, i) => i % classes);

/** IDX: [2, 3]-sized images of 4 classes. */
export function idxFixture(): Fixture {
  const items = { train: 40, test: 8 };
  const size = 3;
  const header = (rank: number, ...dims: number[]): Uint8Array =>
    Uint8Array.from([0, 0, 8, rank, ...dims.flatMap((dim) => [...little(dim, 4)].reverse())]);
  const images = (n: number, seed: number): Uint8Array =>
    bytesOf(header(3, n, size, size), noise(n * size * size, seed));
  const labels = (n: number): Uint8Array => bytesOf(header(1, n), Uint8Array.from(counting(n, 4)));
  const plain: Record<IdxFileName, Uint8Array> = {
    "train-images-idx3-ubyte": images(40, 1),
    "train-labels-idx1-ubyte": labels(40),
    "t10k-images-idx3-ubyte": images(8, 2),
    "t10k-labels-idx1-ubyte": labels(8),
  };
  const packed = Object.fromEntries(Object.entries(plain).map(([name, bytes]) => [`${name}.gz`, gzipSync(bytes)]));
  const facts = Object.fromEntries(
    Object.entries(plain).map(([name, bytes]) => {
      const own = packed[`${name}.gz`] ?? bytes;
      return [name, { bytes: own.length, sha256: sha256Hex(own), contentSha256: sha256Hex(bytes) }];
    }),
  ) as Record<IdxFileName, IdxFile>;
  return {
    dataset: idxDataset({
      ...described("tiny-idx"),
      classes: ["a", "b", "c", "d"],
      items,
      folders: [],
      mirrors: ["https://example.org/"],
      size,
      files: facts,
    }),
    files: packed,
    others: { unpacked: plain },
    labels: { train: counting(40, 4), test: counting(8, 4) },
    refused: [
      [
        "a label that is no class",
        { ...plain, "train-labels-idx1-ubyte": plain["train-labels-idx1-ubyte"].slice().fill(9, 11, 12) },
        /^train-labels-idx1-ubyte.gz: expected class ids below 4, got 9 at 3\.$/,
      ],
      [
        "other dims",
        { ...plain, "train-images-idx3-ubyte": images(39, 1) },
        /^train-images-idx3-ubyte.gz: expected uint8 \[40, 3, 3\], got uint8 \[39, 3, 3\]\.$/,
      ],
    ],
  };
}

/** CIFAR in its binary and its Python version. */
export function cifarFixture(hasCoarseLabel: boolean): Fixture {
  const items = { train: 40, test: 10 };
  const classes = ["plane", "car", "bird", "cat"];
  const names = hasCoarseLabel
    ? { train: ["train"], test: ["test"] }
    : { train: ["data_batch_1", "data_batch_2"], test: ["test_batch"] };
  const batch = (part: "train" | "test", i: number): { pixels: Uint8Array; labels: number[] } => {
    const count = items[part] / names[part].length;
    const all = counting(items[part], 4);
    return {
      pixels: noise(count * 3072, i + (part === "test" ? 50 : 0)),
      labels: all.slice(i * count, (i + 1) * count),
    };
  };
  const binary: Record<string, Uint8Array> = {};
  const python: Record<string, Uint8Array> = {};
  for (const part of ["train", "test"] as const) {
    for (const [i, name] of names[part].entries()) {
      const { pixels, labels } = batch(part, i);
      const records = labels.map((label, k) =>
        bytesOf(Uint8Array.from(hasCoarseLabel ? [19, label] : [label]), pixels.subarray(k * 3072, (k + 1) * 3072)),
      );
      binary[`bin/${name}.bin`] = bytesOf(...records);
      python[`py/${name}`] = cifarPickle(pixels, labels, hasCoarseLabel ? "fine_labels" : "labels");
    }
  }
  const tarred = (files: Files): Uint8Array =>
    gzipSync(tarOf([{ name: "bin/", type: "5" }, ...Object.entries(files).map(([name, data]) => ({ name, data }))]));
  const [first = ""] = Object.keys(binary);
  const broken = (change: (bytes: Uint8Array) => Uint8Array): Files => ({
    ...binary,
    [first]: change(binary[first] ?? new Uint8Array(0)),
  });
  const dotted = (list: readonly string[]): string[] => list.map((name) => `${name}.bin`);
  const version = { bytes: 1, batches: names };
  const archive = tarred(binary);
  const firstPython = Object.keys(python)[0] ?? "";
  const record = hasCoarseLabel ? 3074 : 3073;
  return {
    dataset: cifarDataset({
      ...described("tiny-cifar"),
      classes,
      items,
      hasCoarseLabel,
      mirror: "https://example.org/",
      binary: {
        ...version,
        archive: "tiny-binary",
        folder: "bin",
        sha256: sha256Hex(archive),
        batches: { train: dotted(names.train), test: dotted(names.test) },
      },
      python: { ...version, archive: "tiny-python", folder: "py" },
    }),
    files: { "tiny-binary.tar.gz": archive },
    others: { unpacked: binary, "Python archive": { "tiny-python.tar.gz": tarred(python) }, "Python unpacked": python },
    labels: { train: counting(40, 4), test: counting(10, 4) },
    refused: [
      [
        "a label that is no class",
        broken((bytes) => bytes.slice().fill(7, record + record - 3073, record + record - 3072)),
        new RegExp(`^${first}: expected class ids below 4, got 7 at 1\\.$`),
      ],
      [
        "a record too few",
        broken((bytes) => bytes.slice(record)),
        new RegExp(`^${first}: expected \\d+ records of ${record} bytes, .* got \\d+\\.$`),
      ],
      [
        "an archive cut short",
        {
          "tiny-binary.tar.gz": gzipSync(
            tarOf(Object.entries(binary).map(([name, data]) => ({ name, data }))).subarray(0, 5000),
          ),
        },
        /^tiny-binary\.tar\.gz: expected a whole tar archive, got one cut short in/,
      ],
      [
        "a page instead of an archive",
        { "tiny-binary.tar.gz": asText("<html>".repeat(500)) },
        /^tiny-binary\.tar\.gz: expected a tar header/,
      ],
      [
        "a pickle that would run something",
        { ...python, [firstPython]: bytesOf("\x80\x02", global("posix", "system"), tuple(int(1)), "R.") },
        new RegExp(`^${firstPython}: the pickle asks for posix\\.system`),
      ],
      [
        "a pickle of something else",
        { ...python, [firstPython]: bytesOf("\x80\x02}.") },
        new RegExp(`^${firstPython}: expected data of uint8`),
      ],
    ],
  };
}

/** As Python 2 wrote CIFAR's batches. */
function cifarPickle(pixels: Uint8Array, labels: readonly number[], key: string): Uint8Array {
  const text2 = (value: Piece): Uint8Array => bytesOf("T", little(value.length, 4), value);
  const dtype = bytesOf(
    global("numpy", "dtype"),
    tuple(text2("u1"), int(0), int(1)),
    "R",
    tuple(int(3), text2("|"), "N", "N", "N", int(-1), int(-1), int(0)),
    "b",
  );
  const array = bytesOf(
    global("numpy.core.multiarray", "_reconstruct"),
    tuple(global("numpy", "ndarray"), tuple(int(0)), text2("b")),
    "R",
    tuple(int(1), tuple(int(labels.length), int(3072)), dtype, "\x89", text2(pixels)),
    "b",
  );
  return bytesOf(
    "\x80\x02}(",
    text2("data"),
    array,
    text2(key),
    "](",
    ...labels.map(int),
    "e",
    text2("filenames"),
    "](",
    ...labels.map((_, i) => text2(`${i}.png`)),
    "eu.",
  );
}

/** GTSRB: two tracks of three photographs for each class, of different sizes. */
export function gtsrbFixture(): Fixture {
  const head = "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId";
  const ppm = (width: number, height: number, seed: number): Uint8Array =>
    bytesOf(`P6\n# a comment\n${width} ${height}\n255\n`, noise(3 * width * height, seed));
  const train: Record<string, Uint8Array> = {};
  for (const id of gtsrb.classes.keys()) {
    const folder = `GTSRB/Final_Training/Images/${String(id).padStart(5, "0")}`;
    const names = [0, 1].flatMap((track) => [0, 1, 2].map((i) => `0000${track}_0000${i}.ppm`));
    train[`${folder}/GT-${String(id).padStart(5, "0")}.csv`] = asText(
      [head, ...names.map((name) => `${name};9;9;1;1;8;8;${id}`), ""].join("\r\n"),
    );
    for (const [i, name] of names.entries()) train[`${folder}/${name}`] = ppm(5 + (i % 3), 7 - (i % 3), 6 * id + i);
  }
  const truth = counting(6, 43).map((id) => 42 - id);
  const test = Object.fromEntries(truth.map((_, i) => [`GTSRB/Final_Test/Images/0000${i}.ppm`, ppm(4, 4, 900 + i)]));
  const table = {
    "GT-final_test.csv": asText([head, ...truth.map((id, i) => `0000${i}.ppm;4;4;0;0;3;3;${id}`)].join("\n")),
  };
  const packed = (changed: Files = {}): Files => ({
    "GTSRB_Final_Training_Images.zip": zipSync({ ...train, ...changed }),
    "GTSRB_Final_Test_Images.zip": zipSync(test),
    "GTSRB_Final_Test_GT.zip": zipSync(table),
  });
  const csv = "GTSRB/Final_Training/Images/00007/GT-00007.csv";
  const photograph = "GTSRB/Final_Training/Images/00007/00001_00000.ppm";
  return {
    dataset: gtsrbDataset({ items: { train: 43 * 6, test: 6 }, dims: { channels: 3, height: 4, width: 4 } }),
    files: packed(),
    others: { unpacked: { ...train, ...test, ...table } },
    labels: { train: counting(43 * 6, 43 * 6).map((i) => Math.floor(i / 6)), test: truth },
    refused: [
      [
        "a photograph in the wrong class",
        packed({ [csv]: asText(`${head}\n00000_00000.ppm;9;9;1;1;8;8;8`) }),
        /^00007\/00000_00000\.ppm: expected class 7 in GT-00007\.csv, got 8\.$/,
      ],
      [
        "a damaged photograph",
        packed({ [photograph]: ppm(5, 5, 1).subarray(0, 50) }),
        /^GTSRB\/Final_Training\/Images\/00007\/00001_00000\.ppm: expected 75 bytes for 5 x 5 pixels, got \d+\.$/,
      ],
      [
        "a path that leaves the folder",
        packed({ [csv]: asText(`${head}\n../../x.ppm;9;9;1;1;8;8;7`) }),
        /^00007\/GT-00007\.csv: expected a \.ppm/,
      ],
      [
        "a table without classes",
        packed({ [csv]: asText("a;b\n1;2") }),
        /^00007\/GT-00007\.csv: expected the columns Filename and ClassId, got a;b\.$/,
      ],
      [
        "a table with a short line",
        packed({ [csv]: asText(`${head}\n00000_00000.ppm`) }),
        /expected 8 values in line 2, got 1\.$/,
      ],
      [
        "a photograph too few",
        packed({ [csv]: asText(`${head}\n00000_00000.ppm;9;9;1;1;8;8;7`) }),
        /expected 258 photographs to train, got 253\.$/,
      ],
    ],
  };
}

/** Tiny-ImageNet: three classes of JPEGs. */
export async function tinyImagenetFixture(): Promise<Fixture> {
  const classes = ["n00000001", "n00000002", "n00000003"];
  const jpeg = async (seed: number, size = 8): Promise<Uint8Array> =>
    sharp(noise(3 * size * size, seed), { raw: { width: size, height: size, channels: 3 } })
      .jpeg()
      .toBuffer();
  const files: Record<string, Uint8Array> = { "tiny-imagenet-200/wnids.txt": asText(classes.join("\n")) };
  for (const [k, id] of classes.entries()) {
    const names = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((i) => `${id}_${i}.JPEG`);
    files[`tiny-imagenet-200/train/${id}/${id}_boxes.txt`] = asText(
      names.map((name) => `${name}\t0\t0\t7\t7\n`).join(""),
    );
    for (const [i, name] of names.entries()) {
      files[`tiny-imagenet-200/train/${id}/images/${name}`] = await jpeg(10 * k + i);
    }
  }
  const truth = [2, 0, 1, 1];
  files["tiny-imagenet-200/val/val_annotations.txt"] = asText(
    truth.map((label, i) => `val_${i}.JPEG\t${classes[label]}\t0\t0\t7\t7`).join("\n"),
  );
  for (const i of truth.keys()) files[`tiny-imagenet-200/val/images/val_${i}.JPEG`] = await jpeg(100 + i);
  const zip = (changed: Files = {}): Files => ({
    "tiny-imagenet-200.zip": zipSync({ ...files, ...changed }, { level: 0 }),
  });
  const picture = "tiny-imagenet-200/train/n00000002/images/n00000002_1.JPEG";
  return {
    dataset: tinyImagenetDataset({
      classes,
      items: { train: 30, test: 4 },
      dims: { channels: 3, height: 8, width: 8 },
    }),
    files: zip(),
    others: { unpacked: files },
    labels: { train: counting(30, 30).map((i) => Math.floor(i / 10)), test: truth },
    refused: [
      [
        "a damaged picture",
        zip({ [picture]: (files[picture] ?? new Uint8Array(0)).slice(0, 200) }),
        /n00000002_1\.JPEG: expected a whole picture/,
      ],
      ["another size", zip({ [picture]: await jpeg(1, 9) }), /n00000002_1\.JPEG: expected 8 x 8 pixels, got 9 x 9\.$/],
      [
        "a class that is none",
        zip({ "tiny-imagenet-200/val/val_annotations.txt": asText("val_0.JPEG\tn00000009\t0\t0\t7\t7") }),
        /val_annotations\.txt: expected a picture and one of 3 classes, got "val_0\.JPEG" and "n00000009"/,
      ],
      [
        "a picture of another class",
        zip({ "tiny-imagenet-200/train/n00000001/n00000001_boxes.txt": asText("n00000002_0.JPEG\t0") }),
        /expected a picture of class n00000001, got "n00000002_0\.JPEG"/,
      ],
    ],
  };
}

/** Emoji: six signs for each group, in two designs, partly transparent. */
export async function emojiFixture(): Promise<Fixture> {
  const { classes } = emojiDataset({ items: { train: 0, test: 0 }, dims: { channels: 3, height: 8, width: 8 } });
  const png = async (seed: number): Promise<Uint8Array> =>
    sharp(noise(4 * 64, seed), { raw: { width: 8, height: 8, channels: 4 } })
      .png()
      .toBuffer();
  const signs = classes.flatMap((category, id) =>
    [0, 1, 2, 3, 4, 5].map((i) => ({
      image: `1f${id}${i}0.png`,
      category,
      sort_order: 100 * id + i,
      has_img_google: true,
      has_img_twitter: true,
    })),
  );
  const list = [
    ...signs.reverse(),
    { image: "0001.png", category: "Component", sort_order: 1, has_img_google: true, has_img_twitter: true },
    { image: "0002.png", category: "Flags", sort_order: 2, has_img_google: true, has_img_twitter: false },
  ];
  const packageOf = async (design: string, json: unknown = list): Promise<Record<string, Uint8Array>> => {
    const entries: Record<string, Uint8Array> = {
      "emoji.json": asText(JSON.stringify(json)),
      [`img/${design}/64/1f600.png`]: await png(1),
    };
    for (const [i, { image }] of signs.entries()) {
      entries[`img/${design}/64/${image}`] = await png(i + (design === "google" ? 0 : 500));
    }
    return entries;
  };
  const tgz = (files: Files): Uint8Array =>
    gzipSync(tarOf(Object.entries(files).map(([name, data]) => ({ name: `package/${name}`, data }))));
  const [google, twitter] = [await packageOf("google"), await packageOf("twitter")];
  const archives = (one: Files, other: Files = twitter): Files => ({
    "emoji-datasource-google-16.0.0.tgz": tgz(one),
    "emoji-datasource-twitter-16.0.0.tgz": tgz(other),
  });
  const below = (folder: string, files: Files): Files =>
    Object.fromEntries(Object.entries(files).map(([name, bytes]) => [`${folder}/${name}`, bytes]));
  const each = (count: number): number[] => classes.flatMap((_, id) => Array.from({ length: count }, () => id));
  return {
    dataset: emojiDataset({ items: { train: 90, test: 18 }, dims: { channels: 3, height: 8, width: 8 } }),
    files: archives(google),
    others: {
      installed: { ...below("emoji-datasource-google", google), ...below("emoji-datasource-twitter", twitter) },
    },
    labels: { train: each(10), test: each(2) },
    refused: [
      [
        "a damaged picture",
        archives(google, { ...twitter, "img/twitter/64/1f020.png": asText("no picture") }),
        /^emoji-datasource-twitter: img\/twitter\/64\/1f020\.png: expected a PNG/,
      ],
      [
        "a group that is none",
        archives(await packageOf("google", [{ ...signs[0], category: "Weather" }])),
        /expected one of 9 groups/,
      ],
      [
        "another list",
        archives({ ...google, "emoji.json": asText("[1]") }),
        /^emoji-datasource-google: emoji\.json: expected the list of emoji/,
      ],
    ],
  };
}

/** Shapes: what there is, but less of it. */
export function shapesFixture(): Fixture {
  return {
    dataset: shapesDataset({ name: "tiny-shapes", size: 8, seed: 0, items: { train: 60, test: 10 } }),
    files: {},
    others: {},
    labels: { train: counting(60, 10), test: counting(10, 10) },
    refused: [],
  };
}

function described(name: string): Pick<Dataset, "name" | "summary" | "homepage" | "source" | "licence"> {
  return { name, summary: "tiny", homepage: "https://example.org", source: "a test", licence: "CC0-1.0" };
}
