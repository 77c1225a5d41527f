/** @file A prior that is still in memory, opened as if it lay on disk. */
import { memorySource } from "../../core/byte-source.ts";
import { InputError } from "../../core/errors.ts";
import { openPrior } from "../../diffusion/open-prior.ts";
import type { Prior } from "../../diffusion/prior.ts";
import type { TrainingHost } from "../training/host.ts";

/** Opens files as a prior, lends it, and closes it. @throws what `openPrior` and `use` throw. */
export async function withPrior<T>(
  files: Readonly<Record<string, Uint8Array>>,
  { runtime, threads, signal }: Pick<TrainingHost, "runtime" | "threads" | "signal">,
  use: (prior: Prior) => Promise<T>,
): Promise<T> {
  const missing = (name: string): InputError => new InputError(`prior: expected the file ${name}, got none.`);
  const prior = await openPrior(memorySource(files, missing), runtime, { threads, signal });
  try {
    return await use(prior);
  } finally {
    await prior.dispose();
  }
}
