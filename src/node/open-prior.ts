/** @file A diffusion prior by path. */
import { stat } from "node:fs/promises";
import { basename, dirname, extname } from "node:path";
import type { ByteSource } from "../core/byte-source.ts";
import { InputError } from "../core/errors.ts";
import { type OpenPriorOptions, openPrior } from "../diffusion/open-prior.ts";
import type { Prior } from "../diffusion/prior.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { fileError } from "./file-error.ts";
import { folderSource } from "./folder-source.ts";
import { int8Store } from "./int8-store.ts";

/** Single files that are a prior, by extension: the name that `openPrior` knows, and neighbours that are not theirs. */
const singleFiles: Readonly<Record<string, { readonly name: string; readonly hidden: RegExp }>> = {
  ".pt": { name: "model.pt", hidden: /^(model_index\.json|unet\/.*)$/ },
  ".onnx": { name: "model.onnx", hidden: /^(model_index\.json|config\.json|model\.pt|unet\/.*)$/ },
};

/**
 * Opens a prior: a folder as `openPrior` describes, or a `.pt` or `.onnx` file with its configs beside it.
 * What 8-bit inference has to measure is kept in the user's cache.
 * @throws InputError when there is nothing at the path or a file of another kind, and what `openPrior` throws.
 */
export async function openPriorAt(path: string, runtime: Runtime, options: OpenPriorOptions = {}): Promise<Prior> {
  return openPriorFrom(await priorSource(path), runtime, options);
}

/** The same from files that somebody watches. @throws what `openPrior` throws. */
export function openPriorFrom(source: ByteSource, runtime: Runtime, options: OpenPriorOptions = {}): Promise<Prior> {
  return openPrior(source, runtime, { store: int8Store(), ...options });
}

/** The files of a prior at a path, as `openPrior` asks for them. @throws InputError when there is nothing, or a file of another kind. */
export async function priorSource(path: string): Promise<ByteSource> {
  const stats = await stat(path).catch((cause: unknown) => {
    throw fileError(path, "a prior's folder, .pt or .onnx file", cause);
  });
  return stats.isDirectory() ? folderSource(path) : fileSource(path);
}

/** The folder around a file, with the file under the name that is looked for. */
function fileSource(path: string): ByteSource {
  const kind = singleFiles[extname(path).toLowerCase()];
  if (kind === undefined) {
    throw new InputError(`${path}: expected a prior's folder, .pt or .onnx file, got a file of another name.`);
  }
  const folder = folderSource(dirname(path));
  return async (name, signal) => {
    if (name === kind.name) return folder(basename(path), signal);
    if (kind.hidden.test(name)) throw new InputError(`${name}: expected no part of ${path}, got asked for it.`);
    return folder(name, signal);
  };
}
