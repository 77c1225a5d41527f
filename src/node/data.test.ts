import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EndpointError, FormatError, InputError } from "../core/errors.ts";
import { type Dataset, type DatasetFile, filesOf } from "../data/dataset.ts";
import { fashionMnist } from "../data/fashion-mnist.ts";
import { writeNpy } from "../data/npy.ts";
import { writeNpz } from "../data/npz.ts";
import { encodePng } from "../images/node.ts";
import type { Picture } from "../images/picture.ts";
import { float32, type Tensor, tensor } from "../tensor/tensor.ts";
import { openArrayPictures } from "./array-pictures.ts";
import { downloadDataset } from "./download-dataset.ts";
import { dataHome, datasetFolders, findDataset } from "./find-dataset.ts";
import { openPictures } from "./open-pictures.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "untrigger-"));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const bytes = Uint8Array.from({ length: 24 }, (_, i) => 10 * i);

describe("openArrayPictures", () => {
  const open = (t: Tensor): Picture => openArrayPictures(writeNpy(t), "x.npy").at(1, "one");

  test("channels first and last, bytes and floats are the same pictures", () => {
    const planar = open(tensor("uint8", [2, 3, 2, 2], bytes));
    expect(planar).toEqual({ name: "one", channels: 3, height: 2, width: 2, pixels: bytes.slice(12) });
    const samples = Uint8Array.from({ length: 24 }, (_, i) => {
      const [image, pixel, channel] = [Math.floor(i / 12), Math.floor((i % 12) / 3), i % 3];
      return bytes[12 * image + 4 * channel + pixel] ?? 0;
    });
    expect(open(tensor("uint8", [2, 2, 2, 3], samples))).toEqual(planar);
    const floats = Float64Array.from(bytes, (byte) => byte / 255);
    expect(open(tensor("float64", [2, 3, 2, 2], floats))).toEqual(planar);
    expect(
      openArrayPictures(writeNpz(new Map([["images", tensor("uint8", [2, 3, 2, 2], bytes)]])), "x.npz").count,
    ).toBe(2);
  });

  test("IDX of three dims is grey", () => {
    const idx = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4);
    expect(openArrayPictures(idx, "t10k-images-idx3-ubyte").at(1, "one")).toEqual({
      name: "one",
      channels: 1,
      height: 1,
      width: 2,
      pixels: Uint8Array.of(3, 4),
    });
  });

  test.each([
    [
      "another rank",
      tensor("uint8", [24], bytes),
      "expected images [N, C, H, W] or [N, H, W, C] with 1 or 3 channels, got [24].",
    ],
    ["no channels", tensor("uint8", [2, 2, 3, 2], bytes), "got [2, 2, 3, 2]"],
    ["no images", tensor("uint8", [0, 1, 2, 2], new Uint8Array()), "expected at least one image"],
    [
      "floats of bytes",
      float32([2, 1, 1, 1], [0, 255]),
      "x.npy: image 1: expected floats in [0, 1], got 255. Do scale them",
    ],
    ["NaN", float32([2, 1, 1, 1], [0, Number.NaN]), "got NaN"],
    ["integers", tensor("int32", [2, 1, 1, 1], Int32Array.of(1, 2)), "expected uint8 or floats in [0, 1], got int32"],
  ])("refuses %s", (_, t, sentence) => {
    expect(() => open(t)).toThrow(FormatError);
    expect(() => open(t)).toThrow(sentence);
  });

  test("an archive of several image arrays is ambiguous", () => {
    const t = tensor("uint8", [1, 1, 1, 1], Uint8Array.of(1));
    expect(() =>
      openArrayPictures(
        writeNpz(
          new Map([
            ["a", t],
            ["b", t],
          ]),
        ),
        "x.npz",
      ),
    ).toThrow("x.npz: expected exactly one array of four dims, got a [1, 1, 1, 1], b [1, 1, 1, 1].");
  });
});

describe("openPictures", () => {
  const picture: Picture = { name: "p", channels: 1, height: 1, width: 2, pixels: Uint8Array.of(7, 8) };

  test("gives pictures and the images of arrays in order, by name", async () => {
    writeFileSync(join(root, "b.png"), await encodePng(picture));
    writeFileSync(join(root, "a.npy"), writeNpy(tensor("uint8", [2, 1, 1, 2], bytes.slice(0, 4))));
    const set = await openPictures([
      { name: "b", path: join(root, "b.png") },
      { name: "a", path: join(root, "a.npy") },
    ]);
    const names: string[] = [];
    for await (const { name } of set.read()) names.push(name);
    expect(set.count).toBe(3);
    expect(names).toEqual(["b", "a/00000", "a/00001"]);
  });

  test("a broken file is named when its turn comes, and abort stops", async () => {
    writeFileSync(join(root, "good.png"), await encodePng(picture));
    writeFileSync(join(root, "bad.png"), "text");
    const files = ["good", "bad"].map((name) => ({ name, path: join(root, `${name}.png`) }));
    const read = (await openPictures(files)).read();
    expect((await read.next()).value).toEqual({ ...picture, name: "good" });
    await expect(read.next()).rejects.toThrow(`${join(root, "bad.png")}: expected a PNG, JPEG, WebP or TIFF picture`);
    const aborted = await openPictures(files, { signal: AbortSignal.abort() });
    await expect(aborted.read().next()).rejects.toThrow(/aborted/);
  });

  test("a picture and an array may not write the same file", async () => {
    mkdirSync(join(root, "a"));
    writeFileSync(join(root, "a.npy"), writeNpy(tensor("uint8", [1, 1, 1, 2], bytes.slice(0, 2))));
    const files = [
      { name: "a", path: join(root, "a.npy") },
      { name: "a/00000", path: join(root, "a/00000.png") },
    ];
    await expect(openPictures(files)).rejects.toThrow(InputError);
  });
});

describe("findDataset", () => {
  test("looks at the user's places first, then at the system's", async () => {
    expect(dataHome({ UNTRIGGER_DATA: "/d", XDG_CACHE_HOME: "/c" })).toBe("/d");
    expect(dataHome({ XDG_CACHE_HOME: "/c" })).toBe("/c/untrigger");
    expect(dataHome({}).endsWith("/.cache/untrigger")).toBe(true);
    expect(datasetFolders(fashionMnist, { UNTRIGGER_DATA: "/d" })).toEqual([
      "/d/fashion-mnist",
      ...fashionMnist.folders,
    ]);
  });

  test("takes a folder only with all files, packed or unpacked", async () => {
    const dataset: Dataset = { ...fashionMnist, folders: [] };
    const folder = join(root, "fashion-mnist");
    mkdirSync(folder);
    const names = filesOf(dataset).map(({ name }) => name);
    const env = { UNTRIGGER_DATA: root };
    for (const [i, name] of names.entries()) {
      await expect(findDataset(dataset, env)).rejects.toThrow(
        `fashion-mnist: expected its files in ${folder}, got nothing there. Do run "untrigger data get fashion-mnist".`,
      );
      writeFileSync(join(folder, i % 2 === 0 ? name : name.replace(".gz", "")), "");
    }
    expect(await findDataset(dataset, env)).toBe(folder);
  });
});

describe("downloadDataset", () => {
  const content = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);
  const sha256 = createHash("sha256").update(content).digest("hex");
  let server: Server;
  let asked: string[];
  let base: string;
  beforeEach(async () => {
    asked = [];
    server = createServer((request, response) => {
      asked.push(`${request.url} ${request.headers.range ?? "all"}`);
      if (request.url === "/gone") response.writeHead(404).end();
      else if (request.url === "/wrong") response.end(new Uint8Array(10));
      else {
        const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
        const headers = { "content-range": `bytes ${start}-${content.length - 1}/${content.length}` };
        response.writeHead(start > 0 ? 206 : 200, start > 0 ? headers : {}).end(content.subarray(start));
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.close();
  });
  const datasetOf = (...urls: string[]): Dataset => {
    const file: DatasetFile = { name: "f", urls, bytes: content.length, sha256, contentSha256: sha256 };
    return { ...fashionMnist, name: "toy", packings: [{ name: "toy", files: [file] }] };
  };

  test("goes to the next address when one fails, resumes, and leaves the whole file only", async () => {
    writeFileSync(join(root, "f.part"), content.subarray(0, 40_000));
    const seen: [number, number][] = [];
    await downloadDataset(datasetOf(`${base}/gone`, `${base}/good`), root, {
      fetch,
      onProgress: (done, total) => seen.push([done, total]),
    });
    expect(readFileSync(join(root, "f")).equals(content)).toBe(true);
    expect(readdirSync(root)).toEqual(["f"]);
    expect(asked).toEqual(["/gone bytes=40000-", "/good bytes=40000-"]);
    expect(seen.at(-1)).toEqual([content.length, content.length]);
  });

  test("tells the last failure, and keeps no wrong file", async () => {
    await expect(downloadDataset(datasetOf(`${base}/gone`), root, { fetch })).rejects.toThrow(EndpointError);
    await expect(downloadDataset(datasetOf(`${base}/wrong`), root, { fetch })).rejects.toThrow(/expected SHA-256/);
    expect(existsSync(join(root, "f"))).toBe(false);
    await expect(downloadDataset(datasetOf(`${base}/good`), "/dev/null/x", { fetch })).rejects.toThrow(
      "/dev/null/x: expected a folder that can be written",
    );
  });
});
