/** @file How references are made. */
import { parseOptions } from "../../core/descriptor.ts";
import { OptionError } from "../../core/errors.ts";
import { lookUp } from "../../core/names.ts";
import type { Architecture } from "../../nn/architectures/architecture.ts";
import { architectures } from "../../nn/architectures/registry.ts";

/** A network that references are trained as. */
export interface ReferenceNetwork {
  /** A name of `architectures`. */
  readonly architecture: string;
  /** Its options. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** How references are made. */
export interface ReferenceSettings {
  /** Of the null; 19 are the fewest that can give a p-value of .05. */
  readonly count: number;
  readonly judges: number;
  /** Taken in turns: suspects may be of any kind, and classes that are easy in one need not be in another. */
  readonly networks: readonly ReferenceNetwork[];
  /** Images that a training sees in all: few images are seen more often. */
  readonly visits: number;
  readonly batch: number;
  readonly seed: number;
}

/** The usual ones. */
export const referenceDefaults: ReferenceSettings = {
  count: 20,
  judges: 3,
  networks: [{ architecture: "small-cnn", options: { width: 16 } }],
  visits: 20_000,
  batch: 64,
  seed: 0,
};

/**
 * Reads networks as the command line names them: `small-cnn:16,resnet-18`, each with the channels of its first layers.
 * @throws OptionError for an unknown architecture, or a width that it does not take.
 */
export function parseNetworks(text: string): ReferenceNetwork[] {
  return text.split(",").map((part) => {
    const [name = "", width, ...more] = part.trim().split(":");
    if (more.length > 0) throw new OptionError(`networks: expected NAME or NAME:WIDTH, got "${part}".`);
    const descriptor: Architecture = lookUp("architecture", name, architectures);
    const options = width === undefined ? {} : { width: Number(width) };
    return { architecture: name, options: parseOptions(descriptor, options) };
  });
}
