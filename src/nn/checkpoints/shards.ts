/** @file Weights in several files: an index that says which file holds which tensor. */

import { z } from "zod";
import { FormatError, messageOf } from "../../core/errors.ts";
import { quote } from "../../data/quote.ts";

const MAX_SHARDS = 1000;

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/**
 * Reads a `*.index.json`: the tensors of each shard, by the shard's file name.
 * @param subject what to call the file in messages.
 * @throws FormatError when it is no such JSON, names more than 1000 files, or a file outside its own folder.
 */
export function readShardIndex(bytes: Uint8Array, subject: string): ReadonlyMap<string, readonly string[]> {
  const result = indexSchema.safeParse(parseJson(bytes, subject));
  if (!result.success) {
    throw new FormatError(`${subject}: expected a "weight_map" of tensor names to file names, got other JSON.`);
  }
  const shards = new Map<string, string[]>();
  for (const [tensor, file] of Object.entries(result.data.weight_map)) {
    if (!/^[^/\\:\0]+$/.test(file) || file === "." || file === "..") {
      throw new FormatError(
        `${subject}: expected files beside the index, got ${JSON.stringify(file).slice(0, 200)} for ${quote(tensor)}.`,
      );
    }
    const tensors = shards.get(file) ?? [];
    tensors.push(tensor);
    shards.set(file, tensors);
  }
  if (shards.size === 0 || shards.size > MAX_SHARDS) {
    throw new FormatError(`${subject}: expected 1 to ${MAX_SHARDS} files, got ${shards.size}.`);
  }
  return shards;
}

function parseJson(bytes: Uint8Array, subject: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new FormatError(`${subject}: expected JSON; ${messageOf(error)}.`, { cause: error });
  }
}
