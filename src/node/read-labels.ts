/** @file Names of classes from a file of the user's. */
import { z } from "zod";
import { FormatError } from "../core/errors.ts";
import { readWhole } from "./read-whole.ts";

const mostBytes = 2 ** 24;
const names = z.array(z.string());

/**
 * Reads class names: a JSON list, or one name a line; the index is the class id.
 * @throws InputError when the file cannot be read, FormatError when it holds no names.
 */
export async function readLabelNames(path: string): Promise<string[]> {
  const text = new TextDecoder().decode(await readWhole(path, { maxBytes: mostBytes }));
  const labels = text.trimStart().startsWith("[") ? parseList(path, text) : text.trim().split(/\r?\n/);
  if (labels.length === 0 || labels.includes("")) {
    throw new FormatError(`${path}: expected class names, a JSON list or one a line, got an empty one.`);
  }
  return labels;
}

function parseList(path: string, text: string): string[] {
  try {
    return names.parse(JSON.parse(text));
  } catch (cause) {
    throw new FormatError(`${path}: expected a JSON list of class names, got other text.`, { cause });
  }
}
