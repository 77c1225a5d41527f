/**
 * @file What every data set keeps to: the registry's entries by their facts, every layout by a tiny set in it, and the
 * images themselves where a package has installed them.
 */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FormatError, InputError, MissingDependencyError } from "../../src/core/errors.ts";
import { batchesOf } from "../../src/data/batches.ts";
import { checkDataset } from "../../src/data/check-dataset.ts";
import { filesOf, type LabelledImages, parts } from "../../src/data/dataset.ts";
import { openFile } from "../../src/data/open-file.ts";
import { datasets } from "../../src/data/registry.ts";
import { contentHash, readSplit, type Split, validationRows } from "../../src/data/splits.ts";
import { verifyFile } from "../../src/data/verify-file.ts";
import { nodeDecoders as decoders } from "../../src/node/decoders.ts";
import { findDataset } from "../../src/node/find-dataset.ts";
import { folderSource } from "../../src/node/folder-source.ts";
import {
  cifarFixture,
  emojiFixture,
  gtsrbFixture,
  idxFixture,
  shapesFixture,
  sourceOf,
  tinyImagenetFixture,
} from "../support/dataset-fixtures.ts";

it("every file that describes a data set is in the registry", () => {
  const described = readdirSync("src/data")
    .filter(
      (name) => name.endsWith(".ts") && !name.endsWith(".test.ts") && !/^(dataset|index|registry)\.ts$/.test(name),
    )
    .filter((name) => /^export const \w+: Dataset =/m.test(readFileSync(`src/data/${name}`, "utf8")))
    .map((name) => name.replace(/\.ts$/, ""));
  const homes = Object.keys(datasets).map((name) => (name === "shapes-64" ? "shapes" : name));
  expect(described.sort()).toEqual([...new Set(homes)].sort());
});

describe.each(Object.entries(datasets))("%s", (name, dataset) => {
  const files = dataset.packings.flatMap((packing) => packing.files);

  it("describes itself", () => {
    expect(dataset.name).toBe(name);
    expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    for (const text of [dataset.summary, dataset.source, dataset.licence]) expect(text).not.toBe("");
    expect(dataset.homepage).toMatch(/^https?:\/\//);
    expect(new Set(dataset.classes).size).toBe(dataset.classes.length);
    expect(new Set(files.map((file) => file.name)).size).toBe(files.length);
    const hashes = [
      ...files.flatMap(({ sha256, contentSha256 }) => [sha256, contentSha256]),
      ...Object.values(dataset.hashes ?? {}),
    ].filter((hash) => hash !== undefined);
    for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(hashes).size).toBe(hashes.length);
    for (const file of files) {
      expect(file.name).toMatch(/^[\w.-]+$/);
      expect(file.bytes).toBeGreaterThan(0);
      expect(file.sha256 ?? file.md5).toMatch(/^([0-9a-f]{32}){1,2}$/);
      expect(file.urls.length > 0).toBe(file.package === undefined);
      for (const url of file.urls) expect(new URL(url).pathname.endsWith(`/${file.name}`)).toBe(true);
    }
  });

  it("says which file is missing, and which is not what it should be", async () => {
    if (files.length === 0) return expect(await checkDataset(dataset, sourceOf({}))).toEqual([]);
    for (const part of parts) {
      await expect(dataset.read(sourceOf({}), part, { decoders })).rejects.toBeInstanceOf(InputError);
    }
    const checks = await checkDataset(dataset, sourceOf({}));
    expect(checks.map((check) => check.name)).toEqual(filesOf(dataset).map((file) => file.name));
    for (const [i, check] of checks.entries()) {
      expect(check).toMatchObject({ found: false, sha256: null, verifiedBy: null });
      expect(check.problem).toContain(files[i]?.name);
    }
    const page = async (): Promise<Uint8Array> => new TextEncoder().encode("<html>");
    for (const check of await checkDataset(dataset, page)) expect(check.found && check.problem).toMatch(/expected/);
    await expect(dataset.read(page, "test", { decoders })).rejects.toBeInstanceOf(FormatError);
    await expect(checkDataset(dataset, page, AbortSignal.abort(new Error("stop")))).rejects.toThrow("stop");
  });
});

describe.each([
  ["IDX", idxFixture()],
  ["CIFAR-10", cifarFixture(false)],
  ["CIFAR-100", cifarFixture(true)],
  ["GTSRB", gtsrbFixture()],
  ["Tiny-ImageNet", await tinyImagenetFixture()],
  ["emoji", await emojiFixture()],
  ["shapes", shapesFixture()],
])("the layout of %s", (_, { dataset, files, others, labels, refused }) => {
  const source = sourceOf(files);
  const whole = (part: "train" | "test", from = source): Promise<LabelledImages> =>
    dataset.read(from, part, { decoders });

  it("is read: dims, labels, pixels", async () => {
    const { channels, height, width } = dataset.dims;
    for (const part of parts) {
      const read = await whole(part);
      expect([...read.labels]).toEqual(labels[part]);
      expect(read.images.dims).toEqual([labels[part].length, channels, height, width]);
      expect(read.images.data.length).toBe(labels[part].length * channels * height * width);
      expect(new Set(read.images.data).size).toBeGreaterThan(40);
      expect(contentHash(await whole(part))).toBe(contentHash(read));
    }
    expect(contentHash(await whole("train"))).not.toBe(contentHash(await whole("test")));
  });

  it.each(Object.entries(others))("is the same %s", async (__, other) => {
    for (const part of parts) {
      expect(contentHash(await whole(part, sourceOf(other)))).toBe(contentHash(await whole(part)));
    }
    for (const check of await checkDataset(dataset, sourceOf(other))) expect(check.found).toBe(true);
  });

  it("gives the rows that are asked for, in that order", async () => {
    const all = await whole("train");
    const size = all.images.data.length / all.labels.length;
    const some = await dataset.read(source, "train", { decoders, rows: () => [7, 0, 3] });
    expect([...some.labels]).toEqual([7, 0, 3].map((row) => labels.train[row]));
    const expected = [7, 0, 3].flatMap((row) => [...all.images.data.subarray(row * size, (row + 1) * size)]);
    expect([...some.images.data]).toEqual(expected);
    expect((await dataset.read(source, "test", { decoders, rows: () => [] })).images.dims[0]).toBe(0);
  });

  it("divides into splits that share nothing, by class and by group", async () => {
    let held: number[] = [];
    let groups: readonly number[] = [];
    await dataset.read(source, "train", {
      decoders,
      rows: (index) => {
        held = validationRows(index);
        groups = Array.from(index.groups ?? index.labels.keys());
        return [];
      },
    });
    const inside = new Set(held);
    expect(held.length).toBeGreaterThan(0);
    expect(held.length).toBeLessThanOrEqual(0.5 * labels.train.length);
    const outside = groups.filter((__, row) => !inside.has(row));
    expect(outside.filter((group) => held.some((row) => groups[row] === group))).toEqual([]);
    const read = (split: Split): Promise<LabelledImages> => readSplit(dataset, source, { split, decoders });
    const [train, validation] = [await read("train"), await read("validation")];
    expect([...validation.labels]).toEqual(held.map((row) => labels.train[row]));
    expect([...train.labels]).toEqual(labels.train.filter((__, row) => !inside.has(row)));
    expect(contentHash(await read("train+validation"))).toBe(contentHash(await whole("train")));
    expect(contentHash(await read("test"))).toBe(contentHash(await whole("test")));
    const first = await readSplit(dataset, source, { split: "validation", decoders, rows: () => [0] });
    const size = validation.images.data.length / validation.labels.length;
    expect(first.images.data).toEqual(validation.images.data.slice(0, size));
  });

  it("stops when told to, and asks for the decoders that it needs", async () => {
    if (Object.keys(files).length > 0) {
      const slow = async (name: string, signal?: AbortSignal): Promise<Uint8Array> => {
        signal?.throwIfAborted();
        return source(name);
      };
      const stopped = dataset.read(slow, "train", { decoders, signal: AbortSignal.abort(new Error("stop")) });
      await expect(stopped).rejects.toThrow("stop");
    }
    const without = await dataset.read(source, "train").catch((error: unknown) => error);
    if (!(without instanceof MissingDependencyError)) expect(without).toHaveProperty("labels");
    else expect(without.message).toMatch(/expected a decoder for its pictures, got none/);
  });

  it("comes in batches that are all of it, in order", async () => {
    const all = await whole("train");
    const batches = [...batchesOf(all, 7)];
    expect(batches.map(({ start }) => start)).toEqual(batches.map((__, i) => 7 * i));
    expect(batches.flatMap((batch) => [...batch.labels])).toEqual(labels.train);
    expect(Buffer.concat(batches.map(({ images }) => images.data)).equals(all.images.data)).toBe(true);
  });

  it.each(refused)("refuses %s", async (__, bad, message) => {
    const outcome = await whole("train", sourceOf(bad))
      .then(
        () => whole("test", sourceOf(bad)),
        (error: unknown) => Promise.reject(error),
      )
      .catch((error: unknown) => error);
    expect(outcome).toBeInstanceOf(FormatError);
    expect((outcome as Error).message).toMatch(message);
  });
});

describe.each(["shapes", "fashion-mnist", "emoji"])("the images of %s", async (name) => {
  const dataset = datasets[name]!;
  const folder = await findDataset(dataset).catch(() => undefined);
  const source = folderSource(folder ?? ".");
  const where = folder ?? "skipped: not on this machine";

  describe.skipIf(folder === undefined)(where, () => {
    it.each(parts)("are those whose hash is known, to %s", async (part) => {
      const read = await dataset.read(source, part, { decoders });
      expect(read.labels.length).toBe(dataset.items[part]);
      expect([...new Set(read.labels)].sort((a, b) => a - b)).toEqual(dataset.classes.map((__, id) => id));
      expect(contentHash(read)).toBe(dataset.hashes?.[part]);
    });

    it("lie in files that are the published ones, packed or not", async () => {
      for (const check of await checkDataset(dataset, source))
        expect(check).toMatchObject({ found: true, problem: null });
    });
  });
});

it("shapes at 64 x 64 are those whose hash is known, and the same scenes as at 32 x 32", async () => {
  const [small, large] = [datasets["shapes"]!, datasets["shapes-64"]!];
  const test = await large.read(sourceOf({}), "test");
  expect(contentHash(test)).toBe(large.hashes?.test);
  const same = await small.read(sourceOf({}), "test", { rows: () => [0, 1, 2, 3, 4, 5, 6, 7] });
  for (let image = 0; image < 8; image++) {
    const difference = (a: number, b: number): number => {
      let sum = 0;
      for (let i = 0; i < 3 * 32 * 32; i++) {
        const [c, y, x] = [Math.floor(i / 1024), Math.floor((i % 1024) / 32), i % 32];
        const at = (dy: number, dx: number): number =>
          test.images.data[b * 3 * 4096 + c * 4096 + (2 * y + dy) * 64 + 2 * x + dx]!;
        const mean = (at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) / 4;
        sum += Math.abs(same.images.data[a * 3 * 1024 + i]! - mean);
      }
      return sum / (3 * 1024);
    };
    expect(difference(image, image)).toBeLessThan(12);
    expect(difference(image, (image + 1) % 8)).toBeGreaterThan(20);
  }
});

it("a file that is not the published one is told from it", async () => {
  const { dataset, files } = idxFixture();
  const [images, labels] = filesOf(dataset);
  const bytes = await openFile(images!, sourceOf(files));
  expect(verifyFile(images!, bytes).by).toBe("sha256");
  expect(() => verifyFile(images!, files[labels!.name]!)).toThrow(
    `expected the content with SHA-256 ${images!.contentSha256}`,
  );
  const { sha256: _, contentSha256: __, ...bare } = images!;
  expect(verifyFile(bare, bytes).by).toBe("nothing");
  expect(() => verifyFile({ ...bare, md5: "0".repeat(32) }, bytes)).toThrow(/expected MD5 0{32}, got [0-9a-f]{32}/);
});
