import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InputError } from "../core/errors.ts";
import { listImages } from "./list-images.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "untrigger-"));
  for (const path of [
    "b.png",
    "a.JPG",
    "labels.json",
    ".hidden.png",
    "deep/c.webp",
    "deep/er/d.tiff",
    "deep/x.y.png",
    "out/images/old.png",
    "same/e.png",
    "same/e.jpg",
    "empty/readme.txt",
    "data/t10k-images-idx3-ubyte.gz",
    "data/t10k-labels-idx1-ubyte.gz",
    "[odd].png",
  ]) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), "");
  }
  symlinkSync(join(root, "deep"), join(root, "loop"));
  symlinkSync(join(root, "b.png"), join(root, "deep/linked.png"));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

async function names(...inputs: string[]): Promise<string[]> {
  const files = await listImages(
    inputs.map((input) => join(root, input)),
    { exclude: join(root, "out") },
  );
  return files.map(({ name }) => name);
}

describe("listImages", () => {
  test("a folder: all depths, by name, no hidden files, no folders behind links, not the output", async () => {
    expect(await names("deep")).toEqual(["c", "er/d", "linked", "x.y"]);
    expect(await names("data")).toEqual(["t10k-images-idx3-ubyte"]);
    rmSync(join(root, "same/e.jpg"));
    expect(await names("")).toEqual([
      "[odd]",
      "a",
      "b",
      "data/t10k-images-idx3-ubyte",
      "deep/c",
      "deep/er/d",
      "deep/linked",
      "deep/x.y",
      "same/e",
    ]);
    writeFileSync(join(root, "same/e.jpg"), "");
  });

  test("files: relative to the folder they share, in the order given", async () => {
    expect(await names("b.png")).toEqual(["b"]);
    expect(await names("deep/c.webp", "deep/er/d.tiff")).toEqual(["c", "er/d"]);
    expect(await names("deep/c.webp", "b.png")).toEqual(["deep/c", "b"]);
    expect(await names("labels.json")).toEqual(["labels"]);
    expect(await names("[odd].png")).toEqual(["[odd]"]);
  });

  test("patterns", async () => {
    expect(await names("*.png")).toEqual(["[odd]", "b"]);
    expect(await names("[!b].*")).toEqual(["a"]);
    expect(await names("?.JPG")).toEqual(["a"]);
    expect(await names("deep/**")).toEqual(["c", "er/d", "linked", "x.y"]);
    expect(await names("**/*.tiff")).toEqual(["deep/er/d"]);
    expect(await names("de*/er/*")).toEqual(["deep/er/d"]);
  });

  test.each([
    ["nothing.png", "nothing.png: expected a picture, a folder or a pattern, got nothing there."],
    ["empty", "empty: expected files in this folder of PNG, JPEG, WebP, TIFF, npy, npz or IDX, got none."],
    ["*.gif", "*.gif: expected files that match this pattern of"],
    ["[z-a]*", "expected a pattern of *, ? and [abc], got one that cannot be read."],
  ])("refuses %s", async (input, sentence) => {
    await expect(names(input)).rejects.toThrow(InputError);
    await expect(names(input)).rejects.toThrow(sentence);
  });

  test("two inputs that would write the same file are an error that names both", async () => {
    for (const inputs of [["same"], ["same/e.png", "same/e.jpg"], ["b.png", "b.png"]]) {
      await expect(names(...inputs), inputs.join()).rejects.toThrow(
        /expected a name of its own for its results, got "[be]" like/,
      );
    }
  });
});
