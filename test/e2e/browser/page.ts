/** @file The script of the test page: fetches prior and golden file from its own server and leaves the result on `window`. */
import { InputError } from "../../../src/core/errors.ts";
import { decodePicture, encodePng } from "../../../src/images/web.ts";
import { createWebRuntime } from "../../../src/runtime/web.ts";
import { gradientInPage } from "./gradient-in-page.ts";
import { purifyInPage } from "./purify-in-page.ts";

const load = async (path: string): Promise<Uint8Array> => {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
};

/** Called by the test. */
async function run(): Promise<unknown> {
  const runtime = await createWebRuntime({ threads: 2, wasmPaths: "/ort/" });
  const source = async (name: string): Promise<Uint8Array> => {
    try {
      return await load(`/prior/${name}`);
    } catch (cause) {
      throw new InputError(`${name}: expected a file, got none.`, { cause });
    }
  };
  return purifyInPage(runtime, source, await load("/golden"));
}

/** Called by the test. */
async function gradient(): Promise<unknown> {
  const runtime = await createWebRuntime({ threads: 2, wasmPaths: "/ort/" });
  return gradientInPage(runtime, (name) => load(`/classifier/${name}`));
}

/** Called by the test: the pixels of a plain PNG, and of a picture that only the browser can decode. */
async function decode(): Promise<number[][]> {
  const names = ["picture.png", "picture.webp"];
  const pictures = await Promise.all(names.map(async (name) => decodePicture(await load(`/${name}`), name)));
  const again = await Promise.all(
    pictures.map(async (picture) => decodePicture(await encodePng(picture), "again.png")),
  );
  return [...pictures, ...again].map(({ pixels }) => [...pixels]);
}

Object.assign(globalThis, { run, gradient, decode });
