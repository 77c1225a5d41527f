/** @file What every data set keeps to, read from the registry; its images too, where a package has installed them. */
import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FormatError, InputError } from "../../src/core/errors.ts";
import { batchesOf, checkDataset, filesOf, openFile, type Split, verifyFile } from "../../src/data/dataset.ts";
import { datasets } from "../../src/data/registry.ts";

const splits: readonly Split[] = ["train", "test"];

/** The files of a folder, as the Node face serves them. */
const folderSource =
  (folder: string) =>
  async (name: string): Promise<Uint8Array> => {
    if (!existsSync(join(folder, name))) throw new InputError(`${join(folder, name)}: expected a file, got none.`);
    return readFile(join(folder, name));
  };

it("every file that describes a data set is in the registry", () => {
  const others = ["dataset", "idx-dataset"];
  const described = readdirSync("src/data")
    .map((name) => name.replace(/\.ts$/, ""))
    .filter((name) => !others.includes(name) && /mnist|dataset|cifar|gtsrb|imagenet/.test(name));
  expect(described.filter((name) => !name.endsWith(".test")).sort()).toEqual(Object.keys(datasets).sort());
});

describe.each(Object.entries(datasets))("%s", (name, dataset) => {
  const files = filesOf(dataset);
  const folder = dataset.folders.find((path) => existsSync(path));

  it("describes itself", () => {
    expect(dataset.name).toBe(name);
    expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    for (const text of [dataset.summary, dataset.source, dataset.licence]) expect(text).not.toBe("");
    expect(dataset.homepage).toMatch(/^https?:\/\//);
    expect(new Set(dataset.classes).size).toBe(dataset.classes.length);
    expect(new Set(files.flatMap((file) => [file.name, file.sha256, file.contentSha256])).size).toBe(3 * files.length);
    for (const file of files) {
      expect(file.name).toMatch(/^[\w.-]+$/);
      expect(file.bytes).toBeGreaterThan(0);
      for (const hash of [file.sha256, file.contentSha256]) expect(hash).toMatch(/^[0-9a-f]{64}$/);
      expect(file.urls.length).toBeGreaterThan(0);
      for (const url of file.urls) expect(new URL(url).pathname.endsWith(`/${file.name}`)).toBe(true);
    }
  });

  it("says which file is missing, and which is not what it should be", async () => {
    const empty = folderSource("/nonexistent");
    for (const split of splits) await expect(dataset.read(empty, split)).rejects.toBeInstanceOf(InputError);
    const checks = await checkDataset(dataset, empty);
    expect(checks.map((check) => check.name)).toEqual(files.map((file) => file.name));
    for (const check of checks) expect(check).toMatchObject({ found: false, sha256: undefined });
    for (const [i, check] of checks.entries()) expect(check.problem).toContain(files[i]?.name);
    const page = async (): Promise<Uint8Array> => new TextEncoder().encode("<html>");
    for (const check of await checkDataset(dataset, page)) expect(check.found && check.problem).toMatch(/expected/);
    await expect(dataset.read(page, "test")).rejects.toBeInstanceOf(FormatError);
    await expect(checkDataset(dataset, page, AbortSignal.abort(new Error("stop")))).rejects.toThrow("stop");
  });

  const where = folder ?? `skipped: in none of ${dataset.folders.join(", ") || "its folders (no package has it)"}`;
  describe.skipIf(folder === undefined)(`its files (${where})`, () => {
    const source = folderSource(folder ?? "");

    it("are the published ones, packed or not", async () => {
      for (const check of await checkDataset(dataset, source))
        expect(check).toMatchObject({ found: true, problem: undefined });
    });

    it.each(splits)("hold the images and labels of the split %s", async (split) => {
      const { images, labels } = await dataset.read(source, split);
      const { channels, height, width } = dataset.dims;
      expect(images.dims).toEqual([dataset.splits[split].items, channels, height, width]);
      expect(labels.length).toBe(dataset.splits[split].items);
      expect([...new Set(labels)].sort((a, b) => a - b)).toEqual(dataset.classes.map((_, id) => id));
      expect(images.data.some((pixel) => pixel > 200)).toBe(true);
    });

    it("come in batches that are all of it, in order", async () => {
      const whole = await dataset.read(source, "test");
      let next = 0;
      for await (const { start, images, labels } of batchesOf(dataset, source, { split: "test", size: 3000 })) {
        expect(start).toBe(next);
        expect(images.dims[0]).toBe(labels.length);
        expect(Buffer.compare(labels, whole.labels.subarray(start, start + labels.length))).toBe(0);
        const size = images.data.length / labels.length;
        expect(
          Buffer.compare(images.data, whole.images.data.subarray(start * size, (start + labels.length) * size)),
        ).toBe(0);
        next += labels.length;
      }
      expect(next).toBe(whole.labels.length);
    });

    it("are refused when one pixel is another", async () => {
      const [, , file] = files;
      const bytes = await openFile(file!, source);
      const other = await openFile(files[3]!, source);
      expect(() => verifyFile(file!, other)).toThrow(`expected the content with SHA-256 ${file!.contentSha256}`);
      expect(() => verifyFile(file!, bytes.slice(0, 1000))).toThrow(FormatError);
    });
  });
});
