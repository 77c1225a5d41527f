/** @file The page stands outside the house: it comes in by the public doors, and wears the colours of the reports. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readTrigger } from "../../src/attacks/trigger-folder.ts";
import { createNoise } from "../../src/core/noise.ts";
import { decodePicture } from "../../src/images/node.ts";
import { picturesFromTensor, tensorFromPictures } from "../../src/images/picture.ts";
import { folderSource } from "../../src/node/folder-source.ts";
import { pageCss } from "../../src/report/page/style.ts";

const sources = readdirSync("web/src", { recursive: true, encoding: "utf8" }).filter((path) => /\.tsx?$/.test(path));

test("the page imports public subpaths of the toolkit, and its own files", () => {
  const imports = sources.flatMap((path) => {
    const text = readFileSync(join("web/src", path), "utf8");
    return [...text.matchAll(/\b(?:from|import)\s*\(?"([^"]+)"/g)].map((match) => ({ path, target: match[1] ?? "" }));
  });
  const { exports } = JSON.parse(readFileSync("package.json", "utf8")) as { exports: Record<string, unknown> };
  const isPublic = (door: string): boolean => `./${door}` in exports || existsSync(`src/${door}/index.ts`);
  const doors = imports.filter(({ target }) => target.startsWith("untrigger/"));
  expect(doors.length).toBeGreaterThan(10);
  expect(doors.filter(({ target }) => !isPublic(target.slice("untrigger/".length)))).toEqual([]);
  const own = imports.filter(({ target }) => target.startsWith("."));
  expect(own.filter(({ path, target }) => join("web/src", path, "..", target).startsWith("src"))).toEqual([]);
});

test("its colours are those of the reports, light and dark", () => {
  const colours = (css: string): string[] =>
    [...css.matchAll(/(--\w+):\s*(#\w+)/g)].map(([, name, value]) => `${name} ${value}`);
  expect(colours(readFileSync("web/src/style.css", "utf8"))).toEqual(colours(pageCss()));
  expect(colours(pageCss())).toHaveLength(18);
});

test("its examples are the shipped test images, and the same with the shipped trigger", async () => {
  const trigger = await readTrigger(folderSource("models/fashion-mnist-badnets/trigger"));
  const read = async (path: string) => decodePicture(readFileSync(path), "example");
  const shipped = readdirSync("models/fashion-mnist-badnets/images").filter((name) => name.endsWith(".png"));
  const originals = await Promise.all(shipped.map((name) => read(`models/fashion-mnist-badnets/images/${name}`)));
  const clean = readdirSync("web/public/examples").filter((name) => !name.includes("triggered"));
  expect(clean).toHaveLength(6);
  for (const name of clean) {
    const picture = await read(`web/public/examples/${name}`);
    expect(originals.some(({ pixels }) => Buffer.from(pixels).equals(picture.pixels))).toBe(true);
    const triggered = await trigger.apply(tensorFromPictures([picture]), { noise: createNoise(trigger.seed, []) });
    const [expected] = picturesFromTensor(triggered, ["example"]);
    const stored = await read(`web/public/examples/${name.replace(".png", "-triggered.png")}`);
    expect(stored.pixels).toEqual(expected?.pixels);
  }
});
