/** @file How this program starts itself again as a worker. */
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

/** The entrance of this program, built or from its sources, with what makes it a worker. */
export function workerCommand(): readonly [script: string, ...args: string[]] {
  const entrance = new URL(`../main${extname(import.meta.url)}`, import.meta.url);
  return [fileURLToPath(entrance), "bench", "--worker"];
}
