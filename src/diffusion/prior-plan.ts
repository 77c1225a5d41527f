/** @file What a prior's folder comes down to, whatever layout it has: a model, its signature, its schedule. */
import { FormatError, OptionError } from "../core/errors.ts";
import { sha256Hex } from "../core/hash.ts";
import type { Feeds, Session } from "../runtime/runtime.ts";
import type { NetSignature } from "./net-runner.ts";
import type { SchedulerFacts } from "./scheduler-config.ts";
import type { ClassInput, UNetGraph } from "./unet/unet-graph.ts";

/** What the caller says about a prior; each wins over its files. */
export interface PriorSettings {
  /** Height and width, where the files do not say or the net takes others too. */
  readonly size?: { readonly height: number; readonly width: number } | undefined;
  /** The class that a class-conditional net is told, for every image. */
  readonly classLabel?: number | undefined;
}

/** A model to load. */
export interface PriorPlan {
  readonly model: Uint8Array;
  readonly externalData?: Readonly<Record<string, Uint8Array>> | undefined;
  readonly facts: SchedulerFacts;
  /** Whether `facts.variance` was said by somebody and not merely assumed. */
  readonly varianceStated: boolean;
  /** @throws FormatError when the model is no net that predicts noise. */
  signatureOf(model: Pick<Session, "inputs" | "outputs">): NetSignature;
}

/** SHA-256 of the model that a plan loads, and of its files of weights. */
export function hashOfPlan({ model, externalData = {} }: Pick<PriorPlan, "model" | "externalData">): string {
  const files = Object.keys(externalData).sort();
  return sha256Hex(model, ...files.map((name) => externalData[name] ?? new Uint8Array()));
}

/** The signature of a graph of ours. @throws OptionError when the net is conditioned and nobody says on which class. */
export function signatureOfUNet(unet: UNetGraph, settings: PriorSettings): NetSignature {
  const { classInput } = unet;
  const label = classInput === undefined ? undefined : checkedLabel(classInput, settings.classLabel);
  return {
    size: unet.size,
    outChannels: unet.outChannels,
    sample: "sample",
    output: "out",
    timestep: { name: "timestep", dtype: "float32", shared: undefined },
    batch: undefined,
    tableRows: unet.tableRows,
    extra(rows: number): Feeds {
      if (label === undefined) return {};
      const dims = [rows];
      return classInput?.kind === "label"
        ? { class_labels: { dtype: "int64", dims, data: new BigInt64Array(rows).fill(BigInt(label)) } }
        : { class_labels: { dtype: "float32", dims, data: new Float32Array(rows).fill(label) } };
    },
  };
}

function checkedLabel(input: ClassInput, label: number | undefined): number {
  if (input.kind === "vector") {
    throw new FormatError(
      `unet/config.json: expected a net that is conditioned on a class or on nothing, got one that wants an embedding of ${input.channels} numbers.`,
    );
  }
  const valid = input.kind === "label" ? isIndex(label, input.count) : Number.isFinite(label);
  if (label !== undefined && valid) return label;
  const expected = input.kind === "label" ? `a class from 0 to ${input.count - 1}` : "a number";
  throw new OptionError(
    `prior: expected ${expected} as "classLabel", because the net is class-conditional, got ${label ?? "none"}.`,
  );
}

function isIndex(value: number | undefined, count: number): boolean {
  return value !== undefined && Number.isInteger(value) && value >= 0 && value < count;
}

/**
 * Compares what the scheduler says with how many channels the net returns.
 * @throws FormatError when they contradict each other.
 */
export function varianceOf(
  { facts, varianceStated }: Pick<PriorPlan, "facts" | "varianceStated">,
  { size, outChannels }: Pick<NetSignature, "size" | "outChannels">,
): SchedulerFacts["variance"] {
  const { channels } = size;
  if (outChannels === undefined) return facts.variance;
  if (outChannels !== channels && outChannels !== 2 * channels) {
    throw new FormatError(
      `net: expected ${channels} output channels as it has inputs, or ${2 * channels} with a learned variance, got ${outChannels}.`,
    );
  }
  const learned = outChannels === 2 * channels;
  if (learned === (facts.variance === "learned-range")) return facts.variance;
  if (learned && !varianceStated) return "learned-range";
  throw new FormatError(
    `scheduler config: expected "variance_type" ${learned ? "learned_range" : "fixed_small or fixed_large"} for a net ` +
      `with ${channels} input and ${outChannels} output channels, got ${facts.variance.replace("-", "_")}.`,
  );
}
