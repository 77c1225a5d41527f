/** @file The purify path in headless Chromium on onnxruntime-web, against the same golden file and against Node. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join, normalize } from "node:path";
import { build } from "esbuild";
import { type Browser, chromium } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodePicture } from "../../src/images/node.ts";
import { folderSource } from "../../src/node/folder-source.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import { readGolden } from "../support/golden.ts";
import { gradientInPage } from "./browser/gradient-in-page.ts";
import { type PageResult, purifyInPage } from "./browser/purify-in-page.ts";

const chrome = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const PRIOR = "models/fashion-mnist-prior";
const CLASSIFIER = "models/fashion-mnist-badnets";
const PICTURE = `${CLASSIFIER}/images/00001.png`;
const GOLDEN = "test/golden/prior-run.safetensors";

describe.skipIf(chrome === undefined)(
  chrome === undefined ? "in Chromium (skipped: none here; apt-get install chromium)" : "in Chromium",
  () => {
    let server: Server;
    let browser: Browser;
    let result: PageResult;
    let gradient: number[];
    let decoded: number[][];

    beforeAll(async () => {
      server = await servePage();
      browser = await chromium.launch({
        executablePath: chrome ?? "",
        args: ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update"],
      });
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      result = (await page.evaluate("run()")) as PageResult;
      gradient = (await page.evaluate("gradient()")) as number[];
      decoded = (await page.evaluate("decode()")) as number[][];
    }, 120_000);

    afterAll(async () => {
      await browser?.close();
      server?.close();
    });

    test("the recorded run of the prior is reproduced", () => {
      const { float32 } = readGolden("prior-run.safetensors");
      expect(result.runtime).toBe("onnxruntime-web cpu");
      const expected = float32("final");
      const largest = Math.max(...expected.map(Math.abs));
      expect(result.final).toBeAllclose(expected, { atol: 2e-5 * largest });
    });

    test("a purification is the one that Node makes", async () => {
      const runtime = await createNodeRuntime({ device: "cpu", threads: 1 });
      const node = await purifyInPage(runtime, folderSource(PRIOR), await readFile(GOLDEN));
      expect(result.purified).toBeAllclose(node.purified, { atol: 1e-4 });
    });

    test("a gradient of the classifier is the one that Node computes", async () => {
      const runtime = await createNodeRuntime({ device: "cpu", threads: 1 });
      const node = await gradientInPage(runtime, folderSource(CLASSIFIER));
      const largest = Math.max(...node.map(Math.abs));
      expect(largest).toBeGreaterThan(1e-3);
      expect(gradient).toBeAllclose(node, { atol: 1e-5 * largest });
    });

    test("pictures are decoded as in Node, and survive being encoded", async () => {
      const [png, webp] = await Promise.all([
        decodePicture(await readFile(PICTURE), "picture.png"),
        decodePicture(await colourPicture(), "picture.webp"),
      ]);
      const pixels = [png, webp].map((picture) => [...picture.pixels]);
      expect(webp).toMatchObject({ channels: 3, height: 9, width: 12 });
      expect(decoded).toEqual([...pixels, ...pixels]);
    });
  },
);

/** A small lossless WebP, which only the browser's own decoder reads there. */
function colourPicture(): Promise<Uint8Array> {
  const data = Buffer.from(Array.from({ length: 9 * 12 * 3 }, (_, i) => (i * 37) % 256));
  return sharp(data, { raw: { width: 12, height: 9, channels: 3 } })
    .webp({ lossless: true })
    .toBuffer();
}

/** Serves the bundled page, the prior, the golden file and the engine, isolated so that the engine may use threads. */
async function servePage(): Promise<Server> {
  const bundle = await build({
    entryPoints: ["test/e2e/browser/page.ts"],
    bundle: true,
    format: "esm",
    platform: "browser",
    write: false,
    logLevel: "error",
  });
  const script = bundle.outputFiles[0]?.contents ?? new Uint8Array();
  const folders: Record<string, string> = {
    prior: PRIOR,
    classifier: CLASSIFIER,
    ort: "node_modules/onnxruntime-web/dist",
  };
  const files = new Map<string, [type: string, body: Uint8Array | string]>([
    ["/", ["text/html", '<!doctype html><script type="module" src="/page.js"></script>']],
    ["/page.js", ["text/javascript", script]],
    ["/golden", ["application/octet-stream", await readFile(GOLDEN)]],
    ["/picture.png", ["image/png", await readFile(PICTURE)]],
    ["/picture.webp", ["image/webp", await colourPicture()]],
  ]);
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(request.url ?? "/").split("?")[0] ?? "/");
    const [, folder = "", ...rest] = path.split("/");
    const [type, body] =
      files.get(path) ??
      (folders[folder] === undefined
        ? ["text/plain", undefined]
        : [typeOf(path), await readFile(join(folders[folder], ...rest)).catch(() => undefined)]);
    response.writeHead(body === undefined ? 404 : 200, {
      "content-type": type,
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

function typeOf(path: string): string {
  if (/\.m?js$/.test(path)) return "text/javascript";
  return path.endsWith(".wasm") ? "application/wasm" : "application/octet-stream";
}
