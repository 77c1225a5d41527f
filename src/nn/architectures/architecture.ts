/** @file What the architecture of a classifier is: data, and a function that writes it onto a graph. */
import type { z } from "zod";
import type { ValueName } from "../../graph/ir.ts";
import type { FeatureMap, Net } from "../net.ts";

/** What an architecture is written with. */
export interface ArchitectureSettings<Options extends z.ZodObject> {
  readonly options: z.output<Options>;
  /** Number of classes. */
  readonly classes: number;
}

/**
 * An architecture as data. Weights have the names that PyTorch's best-known implementation gives them, so that its
 * checkpoints fit, and are taken from `net.weights`.
 */
export interface Architecture<Options extends z.ZodObject = z.ZodObject> {
  /** kebab-case. */
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  /** The paper, and the implementation whose tensor names are used. */
  readonly source: string;
  /** Every option with a default, a range and a description. */
  readonly options: Options;
  /** Height and width in pixels below which there is nothing left to look at. */
  minimumSize(options: z.output<Options>): number;
  /**
   * Writes the network.
   * @param image pixels [N, channels, height, width] as the network takes them: normalised.
   * @returns logits [N, classes].
   * @throws OptionError when options contradict each other or the image; FormatError as `Weights.take`.
   */
  write(net: Net, image: FeatureMap, settings: ArchitectureSettings<Options>): ValueName;
}

/** Defines an architecture: an identity function that lets TypeScript infer the options. */
export function defineArchitecture<Options extends z.ZodObject>(
  architecture: Architecture<Options>,
): Architecture<Options> {
  return architecture;
}
