/** @file `labels.json` beside a folder of pictures: which file shows which class. */
import { z } from "zod";
import { FormatError, messageOf } from "../core/errors.ts";
import { outlineOf } from "./json-outline.ts";
import { quote } from "./quote.ts";

const schema = z.int().min(0).max(1_000_000);

/**
 * Reads `{ "file.png": 3, "folder/other.png": 0 }`: class ids by path below the folder.
 * @param name what to call the file in messages. @param classes how many classes there are, where that is known.
 * @throws FormatError when it is no such JSON, names a file twice or outside the folder, or an id out of range.
 */
export function parseLabels(
  bytes: Uint8Array,
  name = "labels.json",
  classes: number | undefined = undefined,
): ReadonlyMap<string, number> {
  const json = parseJson(bytes, name);
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new FormatError(`${name}: expected an object of class ids by file name, got other JSON.`);
  }
  const labels = new Map<string, number>();
  for (const [file, value] of Object.entries(json)) {
    const id = schema.safeParse(value);
    if (!id.success || (classes !== undefined && id.data >= classes)) {
      const range = classes === undefined ? "an integer from 0" : `an integer from 0 to ${classes - 1}`;
      throw new FormatError(`${name}: expected ${range} for ${quote(file)}, got ${quote(String(value))}.`);
    }
    if (!isInside(file)) {
      throw new FormatError(`${name}: expected paths inside its folder, with slashes, got ${quote(file)}.`);
    }
    labels.set(file, id.data);
  }
  return labels;
}

function parseJson(bytes: Uint8Array, name: string): unknown {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const { depth, repeatedKey } = outlineOf(text);
    if (depth > 1) throw new FormatError(`${name}: expected class ids by file name, got ${depth} levels.`);
    if (repeatedKey !== undefined)
      throw new FormatError(`${name}: expected every file once, got ${quote(repeatedKey)} twice.`);
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new FormatError(`${name}: expected JSON, got ${bytes.length} other bytes; ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

function isInside(path: string): boolean {
  return !/[\\:\0]/.test(path) && path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}
