/** @file What every U-Net of this folder becomes: a graph with the same inputs and output, whatever it was read from. */
import { FormatError } from "../../core/errors.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import type { Graph, ValueName } from "../../graph/ir.ts";
import type { Weights } from "../../nn/checkpoints/weights.ts";
import type { FeatureMap, Net } from "../../nn/net.ts";

/** Size of the images that a graph is written for. */
export interface ImageSize {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** What a class-conditional net is told about each image. */
export type ClassInput =
  /** A class number below `count`: int64 [N]. */
  | { readonly kind: "label"; readonly count: number }
  /** A number that is embedded as the timestep is: float32 [N]. */
  | { readonly kind: "number" }
  /** An embedding: float32 [N, channels]. */
  | { readonly kind: "vector"; readonly channels: number };

/**
 * A U-Net as a graph. Inputs: `sample` float32 [N, C, H, W] with symbolic N; `timestep` float32 [N]; `class_labels` where
 * the net is conditioned. Output: `out` [N, outChannels, H, W].
 */
export interface UNetGraph {
  readonly graph: Graph;
  readonly size: ImageSize;
  readonly outChannels: number;
  /** What `class_labels` is; undefined for an unconditional net. */
  readonly classInput: ClassInput | undefined;
  /** Where timesteps are rows of a stored table: how many there are. They must then be whole numbers below it. */
  readonly tableRows: number | undefined;
}

/** How a U-Net is written. */
export interface UNetPlan {
  readonly classInput?: ClassInput | undefined;
  readonly tableRows?: number | undefined;
  /** Writes the net and returns its output. */
  body(inputs: UNetInputs): FeatureMap;
}

/** What the body of a U-Net is written from. */
export interface UNetInputs {
  readonly net: Net;
  readonly sample: FeatureMap;
  readonly timestep: ValueName;
  /** "" for an unconditional net. */
  readonly classLabels: ValueName;
}

/** Tensors that a refusal names. */
const MOST_NAMED = 16;

/**
 * Declares inputs, lets `body` write the net, and names the output.
 * @throws FormatError when the checkpoint holds tensors that the net has no place for: it is then not this net.
 */
export function writeUNet(weights: Weights, size: ImageSize, plan: UNetPlan): UNetGraph {
  const { classInput, tableRows } = plan;
  const b = new GraphBuilder();
  const { channels, height, width } = size;
  const value = b.input("sample", "float32", ["N", channels, height, width]);
  const timestep = b.input("timestep", "float32", ["N"]);
  const classLabels = classInput === undefined ? "" : declareClassInput(b, classInput);
  const out = plan.body({ net: { b, weights }, sample: { value, channels, height, width }, timestep, classLabels });
  refuseUnused(weights);
  b.output("out", out.value, "float32", ["N", out.channels, out.height, out.width]);
  return { graph: b.build("unet"), size, outChannels: out.channels, classInput, tableRows };
}

/** The last map that was put aside on the way down. @throws FormatError when there is none left. */
export function nextSkip(skips: FeatureMap[]): FeatureMap {
  const skip = skips.pop();
  if (skip === undefined)
    throw new FormatError("U-Net: expected as many maps on the way up as skip over from the way down, got more.");
  return skip;
}

function declareClassInput(b: GraphBuilder, input: ClassInput): ValueName {
  const dims = input.kind === "vector" ? ["N", input.channels] : ["N"];
  return b.input("class_labels", input.kind === "label" ? "int64" : "float32", dims);
}

function refuseUnused(weights: Weights): void {
  const unused = weights.unused();
  if (unused.length === 0) return;
  const named = unused.slice(0, MOST_NAMED).map((name) => `"${name}"`);
  const others = unused.length > named.length ? ` and ${unused.length - named.length} more` : "";
  throw new FormatError(
    `${weights.subject}: expected only tensors that the config has a place for, got ${named.join(", ")}${others}.`,
  );
}
