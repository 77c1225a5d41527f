/** @file The one door to files of weights: safetensors, sharded ones, and both formats of torch. */

import type { ByteSource } from "../../core/byte-source.ts";
import { FormatError } from "../../core/errors.ts";
import { printable, quote } from "../../data/quote.ts";
import { looksLikeZip } from "../../data/zip.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { readSafetensors } from "./safetensors.ts";
import { readShardIndex } from "./shards.ts";
import { type StateDict, withoutWrappers } from "./state-dict.ts";
import { readTorchLegacy } from "./torch-legacy.ts";
import { readTorchZip } from "./torch-zip.ts";

type Format = "safetensors" | "index" | "torch-zip" | "pickle";

/**
 * Reads tensors by name from a file of weights. What the file is shows in its bytes; its extension does not matter.
 * Nested state dicts are unwrapped and `module.` prefixes removed, see `state-dict.ts`. Tensors keep their types.
 * @param name path of the file (or of its `.index.json`) in `source`.
 * @throws FormatError when it is neither safetensors nor a torch file, is damaged, or asks for code; whatever `source`
 * throws when there is no such file.
 */
export async function readCheckpoint(name: string, source: ByteSource, signal?: AbortSignal): Promise<StateDict> {
  const bytes = await source(name, signal);
  const subject = `checkpoint "${name}"`;
  if (formatOf(bytes, subject) !== "index") return withoutWrappers(readSingle(bytes, subject));
  const folder = name.slice(0, name.lastIndexOf("/") + 1);
  const state = new Map<string, Tensor>();
  for (const [file, tensors] of readShardIndex(bytes, subject)) {
    signal?.throwIfAborted();
    const shard = readSingle(await source(folder + file, signal), `checkpoint "${folder}${file}"`);
    for (const tensor of tensors) {
      const value = shard.get(tensor);
      if (value === undefined) {
        throw new FormatError(
          `${subject}: expected tensor ${quote(tensor)} in ${printable(file)}, got a file without it.`,
        );
      }
      state.set(tensor, value);
    }
  }
  return withoutWrappers(state);
}

function readSingle(bytes: Uint8Array, subject: string): StateDict {
  const format = formatOf(bytes, subject);
  switch (format) {
    case "safetensors":
      return readSafetensors(bytes, subject).tensors;
    case "torch-zip":
      return readTorchZip(bytes, subject);
    case "pickle":
      return readTorchLegacy(bytes, subject);
    case "index":
      throw new FormatError(`${subject}: expected weights, got another index.`);
  }
}

function formatOf(bytes: Uint8Array, subject: string): Format {
  if (looksLikeZip(bytes)) return "torch-zip";
  // A safetensors header is JSON after 8 bytes of length, which may begin like anything else.
  if (bytes[8] === 0x7b && bytes[7] === 0) return "safetensors";
  if (bytes[0] === 0x80) return "pickle";
  const head = new TextDecoder().decode(bytes.subarray(0, 300));
  if (/^\s*\{/.test(head)) return "index";
  throw new FormatError(`${subject}: expected safetensors or a file of torch.save, got ${describe(bytes, head)}.`);
}

/** What people hand over by mistake, in words. */
function describe(bytes: Uint8Array, head: string): string {
  if (bytes.length === 0) return "an empty file";
  if (head.startsWith("version https://git-lfs")) return "a Git LFS pointer; download the file that it points to";
  if (/^\s*<(!doctype|html)/i.test(head)) return "an HTML page; download the file itself";
  if (head.slice(257, 262) === "ustar") return "a tar archive";
  if (bytes[0] === 0x89) return "another binary format (HDF5 or PNG)";
  const first = [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0"));
  return `${bytes.length} bytes that begin with ${first.join(" ")}`;
}
