/** @file Starts threads, from a build and from sources alike. */
import { Worker, type WorkerOptions } from "node:worker_threads";

/**
 * Starts a module as a thread.
 * @param module where it is, without its extension: `.js` in a build, `.ts` in the sources. @param from `import.meta.url`
 * of who starts it.
 */
export function startThread(module: string, from: string, options: WorkerOptions): Worker {
  const isSource = from.endsWith(".ts");
  const entry = new URL(`${module}${isSource ? ".ts" : ".js"}`, from);
  if (!isSource) return new Worker(entry, options);
  // Developers run the sources with tsx, which reads TypeScript in the main thread only: a thread has to ask for it.
  const script = `require("node:module").register("tsx/esm", "${from}", { data: {} }); import("${entry}");`;
  return new Worker(script, { ...options, eval: true });
}
