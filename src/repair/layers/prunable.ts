/** @file Which layers of a network a repair may prune. */
import { OptionError } from "../../core/errors.ts";
import type { Layer } from "./find-layers.ts";

/** `norms`: normalisations; `weights`: convolutions and linear layers; `auto`: the former where there are any. */
export type Where = "auto" | "norms" | "weights";

/**
 * The layers whose channels may be switched off: of one kind, and none whose channels are classes.
 * @param what who asks, for the message. @throws OptionError when the network has none.
 */
export function prunableLayers(layers: readonly Layer[], where: Where, what: string): readonly Layer[] {
  const inner = layers.filter(({ writesScores }) => !writesScores);
  const norms = inner.filter(({ kind }) => kind === "norm");
  const weights = inner.filter(({ kind }) => kind === "weights");
  const found = where === "weights" || (where === "auto" && norms.length === 0) ? weights : norms;
  if (found.length > 0) return found;
  const wanted = where === "norms" ? "normalisations" : "convolutions, normalisations or linear layers before the last";
  throw new OptionError(
    `${what}: expected a network with ${wanted} whose weights are stored as float32, got none among ${layers.length} layers.`,
  );
}
