/**
 * @file `npm run site -- FOLDER`: the page as a static site that purifies inside the tab. Builds the page and puts beside
 * it what the tab loads: ONNX Runtime's WebAssembly files, a prior and a classifier.
 */
import { cp, readdir, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "vite";
import type { Folder, TabConfig } from "./src/page-config.ts";
import config from "./vite.config.ts";

/** Both builds of the engine: plain, and with WebGPU. */
const runtimeFiles = ["", ".asyncify"].flatMap((kind) =>
  ["mjs", "wasm"].map((extension) => `ort-wasm-simd-threaded${kind}.${extension}`),
);

/** What a tab reads of a classifier's folder; the other files of one are how it came about. */
const classifierFiles = ["model.onnx", "config.json", "preprocessor_config.json"];

/** What a site is made of. */
export interface SiteParts {
  /** A diffusion prior's folder. */
  readonly prior: string;
  /** A folder with `model.onnx`, `config.json` and `preprocessor_config.json`. */
  readonly classifier: string;
}

/** Writes a site. Files of the folder that have other names stay. */
export async function writeSite(folder: string, { prior, classifier }: SiteParts): Promise<void> {
  const out = resolve(folder);
  // The folder may be somebody's: it is not emptied.
  const target = { ...config.build, outDir: out, emptyOutDir: false };
  await build({ ...config, configFile: false, logLevel: "warn", build: target });
  const runtime = dirname(fileURLToPath(import.meta.resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm")));
  const priorFiles = (await filesBelow(prior)).filter((name) => name !== "untrigger/int8.json");
  const page: TabConfig = {
    engine: "tab",
    runtime: await copyFolder(runtime, runtimeFiles, out, "runtime/"),
    prior: await copyFolder(prior, priorFiles, out, "prior/"),
    classifier: await copyFolder(classifier, classifierFiles, out, "classifier/"),
  };
  await writeFile(join(out, "page.json"), `${JSON.stringify(page, undefined, 2)}\n`);
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, "/").length).replaceAll("\\", "/"))
    .sort();
}

async function copyFolder(from: string, names: readonly string[], out: string, at: string): Promise<Folder> {
  const files: Record<string, number> = {};
  for (const name of names) {
    await cp(join(from, name), join(out, at, name));
    files[name] = (await stat(join(from, name))).size;
  }
  return { at, files };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      prior: { type: "string", default: "models/fashion-mnist-prior" },
      classifier: { type: "string", default: "models/fashion-mnist-badnets" },
    },
  });
  const [folder] = positionals;
  if (folder === undefined || positionals.length > 1) {
    console.error(
      "site: expected one folder to write to. Do run: npm run site -- FOLDER [--prior DIR] [--classifier DIR]",
    );
    process.exit(2);
  }
  await writeSite(folder, values);
  console.log(`${folder}: written. Any web server will do; with the two headers of docs/web.md it uses threads.`);
}
