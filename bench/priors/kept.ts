/** @file What is kept beside the priors: results that take minutes, and the pictures of a backdoor. */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readNpy } from "untrigger/data";
import type { Float32Tensor } from "untrigger/tensor";

/** What a file holds; where there is none, the work's result, which the file then holds. */
export async function kept<T>(file: string, work: () => Promise<T>): Promise<T> {
  if (existsSync(file)) return JSON.parse(await readFile(file, "utf8"));
  const result = await work();
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify(result));
  return result;
}

/** A picture of a backdoored prior's folder, [C, H, W] in [-1, 1]. */
export async function pictureAt(folder: string, name: "trigger" | "target"): Promise<Float32Tensor> {
  return readNpy(await readFile(join(folder, "trigger", `${name}.npy`)), name) as Float32Tensor;
}
