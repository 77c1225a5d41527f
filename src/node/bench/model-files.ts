/** @file A model's folder as one piece of bytes, and back: how models reach workers on other machines. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { unzipSync, zipSync } from "fflate";
import { FormatError, messageOf } from "../../core/errors.ts";
import { decodeModel } from "../../onnx/codec.ts";
import { loadExternalData } from "../../onnx/external-data.ts";
import { folderSource } from "../folder-source.ts";
import { readIfThere } from "../read-json.ts";

/** Files of a model that others may need, where they are there. */
const OPTIONAL = ["config.json", "preprocessor_config.json", "training.json"] as const;
/** Larger models are refused before memory is asked for. */
const MOST_BYTES = 2 ** 30;
/** Names that stay below the folder that they are written to. */
const SAFE_NAME = /^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/;

/** Packs what belongs to the model of a folder: weights, configs, trigger. @throws InputError, FormatError. */
export async function packModel(folder: string): Promise<Uint8Array> {
  const source = folderSource(folder);
  const model = await source("model.onnx");
  const files: Record<string, Uint8Array> = { "model.onnx": model };
  for (const [name, bytes] of Object.entries((await loadExternalData(decodeModel(model), source)) ?? {})) {
    files[name] = bytes;
  }
  for (const name of OPTIONAL) {
    const bytes = await readIfThere(source, name);
    if (bytes !== undefined) files[name] = bytes;
  }
  const trigger = await readdir(join(folder, "trigger")).catch(() => []);
  for (const name of trigger) files[`trigger/${name}`] = await source(`trigger/${name}`);
  return zipSync(files, { level: 1 });
}

/** The files of a packed model by name. @throws FormatError for what {@link packModel} did not make. */
export function unpackModel(bytes: Uint8Array, what: string): Record<string, Uint8Array> {
  let total = 0;
  try {
    return unzipSync(bytes, {
      filter({ name, originalSize }) {
        total += originalSize;
        if (!SAFE_NAME.test(name)) throw new FormatError(`a file called "${name.slice(0, 80)}"`);
        if (total > MOST_BYTES) throw new FormatError(`more than ${MOST_BYTES} bytes`);
        return true;
      },
    });
  } catch (cause) {
    throw new FormatError(`${what}: expected a packed model, got ${messageOf(cause)}.`, { cause });
  }
}
