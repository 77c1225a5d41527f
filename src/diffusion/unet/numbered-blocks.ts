/** @file Lists of modules in a checkpoint: `stem.0`, `stem.1`… */
import type { Weights } from "../../nn/checkpoints/weights.ts";

/** `stem.0`, `stem.1`… as far as the checkpoint has tensors below them without a gap. */
export function numberedBlocks(weights: Weights, stem: string): string[] {
  const indices = new Set<number>();
  for (const name of weights.state.keys()) {
    if (name.startsWith(`${stem}.`)) indices.add(Number.parseInt(name.slice(stem.length + 1), 10));
  }
  const names: string[] = [];
  while (indices.has(names.length)) names.push(`${stem}.${names.length}`);
  return names;
}
