/** @file The ranges of priors that were measured for 8-bit inference: a cache beside the data sets. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Int8Store } from "../diffusion/int8-plan.ts";
import { dataHome } from "./find-dataset.ts";
import { writeWhole } from "./write-whole.ts";

/**
 * Files `int8/HASH.json` in a folder. Being a cache, it never fails: what cannot be read is measured again, and what
 * cannot be written is measured the next time too.
 * @param folder {@link dataHome} when left out.
 */
export function int8Store(folder: string = dataHome()): Int8Store {
  const pathOf = (hash: string): string => join(folder, "int8", `${hash}.json`);
  return {
    read: (hash) => readFile(pathOf(hash)).catch(() => undefined),
    write: (hash, file) => writeWhole(pathOf(hash), file).catch(() => undefined),
  };
}
