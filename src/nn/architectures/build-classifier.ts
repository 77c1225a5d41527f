/** @file A classifier's graph from the name of its architecture. */
import { parseOptions } from "../../core/descriptor.ts";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { lookUp } from "../../core/names.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import type { Graph } from "../../graph/ir.ts";
import type { Weights } from "../checkpoints/weights.ts";
import type { Architecture } from "./architecture.ts";
import { architectures } from "./registry.ts";

/** Pixels along one side, and channels or classes, that a classifier may be asked for. */
const MOST_PIXELS = 4096;
const MOST_CLASSES = 65_536;

/** What {@link buildClassifier} builds. */
export interface ClassifierPlan {
  /** A name of `architectures`. */
  readonly architecture: string;
  /** Raw options of the architecture; each has a default. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Number of classes, at least 2. */
  readonly classes: number;
  /** The images that it takes. */
  readonly dims: { readonly channels: number; readonly height: number; readonly width: number };
  /** Fresh weights, or those of a checkpoint. */
  readonly weights: Weights;
}

/**
 * Writes a classifier for inference: one input `pixel_values` float32 [N, channels, height, width] of normalised pixels,
 * one output `logits` [N, classes]. A row of a batch gives the same logits as the row alone.
 * @throws OptionError for an unknown architecture or option, or one out of range; ShapeError for images that are smaller
 * than the architecture's minimum; FormatError naming the tensor when the weights have none, or one of other dims.
 */
export function buildClassifier({ architecture, options = {}, classes, dims, weights }: ClassifierPlan): Graph {
  const descriptor: Architecture = lookUp("architecture", architecture, architectures);
  const parsed = parseOptions(descriptor, options);
  checkCount(`${architecture}: classes`, classes, { least: 2, most: MOST_CLASSES });
  const { channels, height, width } = dims;
  checkCount(`${architecture}: channels`, channels, { least: 1, most: MOST_PIXELS });
  for (const side of [height, width])
    checkCount(`${architecture}: pixels of a side`, side, { least: 1, most: MOST_PIXELS });
  const least = descriptor.minimumSize(parsed);
  if (Math.min(height, width) < least) {
    throw new ShapeError(
      `${architecture}: expected images of at least ${least}x${least} pixels, got ${height}x${width}.`,
    );
  }
  const b = new GraphBuilder();
  const value = b.input("pixel_values", "float32", ["N", channels, height, width]);
  const logits = descriptor.write({ b, weights }, { value, channels, height, width }, { options: parsed, classes });
  b.output("logits", logits, "float32", ["N", classes]);
  return b.build(architecture);
}

function checkCount(subject: string, count: number, { least, most }: { least: number; most: number }): void {
  if (Number.isSafeInteger(count) && count >= least && count <= most) return;
  throw new OptionError(`${subject}: expected an integer from ${least} to ${most}, got ${count}.`);
}
