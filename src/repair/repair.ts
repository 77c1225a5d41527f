/** @file What a repair is, and what it is made from. */
import type { z } from "zod";
import type { Descriptor } from "../core/descriptor.ts";
import type { Graph } from "../graph/ir.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { TensorOf } from "../tensor/tensor.ts";
import type { ClassifierNet } from "../training/train-classifier.ts";

/** Clean images with what they show. */
export interface CleanImages {
  /** uint8 [N, C, H, W] */
  readonly images: TensorOf<"uint8">;
  /** N class ids. */
  readonly labels: ArrayLike<number>;
}

/** What a repair works on. None of the images is one that the result is measured on. */
export interface RepairContext {
  readonly net: ClassifierNet;
  /** K */
  readonly classes: number;
  /** What is learned from. */
  readonly learned: CleanImages;
  /** What thresholds are chosen on; none of those that are learned from. Empty for repairs that choose nothing. */
  readonly held: CleanImages;
  /** Of everything that the repair draws. */
  readonly seed: number;
  readonly runtime: Runtime;
  /** Threads inside one run. */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  progress?(done: number, total: number): void;
}

/** Channels of one layer that were switched off. */
export interface PrunedLayer {
  /** The initializer whose channels they are. */
  readonly layer: string;
  /** Their numbers, ascending. */
  readonly channels: readonly number[];
  /** Channels of the layer in all. */
  readonly of: number;
}

/** One point of a search for the threshold. */
export interface CurvePoint {
  /** A threshold, or a number of channels, as the method counts. */
  readonly at: number;
  /** Channels that are switched off there. */
  readonly pruned: number;
  /** Share of the held images called by their label. */
  readonly accuracy: number;
}

/** A mended network, and how it came about. */
export interface Repaired {
  /** Takes and gives what the net did, in inference mode. */
  readonly graph: Graph;
  /** Nothing where nothing is switched off. */
  readonly pruned: readonly PrunedLayer[];
  /** The point of the curve that was chosen; `null` where nothing is. */
  readonly threshold: number | null;
  readonly curve: readonly CurvePoint[];
  /** The loss of every step of learning. */
  readonly losses: readonly number[];
}

/** A repair that is ready. */
export interface Repair {
  /** @throws what training throws, the signal's reason when aborted. */
  repair(): Promise<Repaired>;
}

/** With fewer clean images neither learning nor choosing means anything. */
export const LEAST_IMAGES = 20;

/** Names that presets may have. */
export type RepairPreset = "paper" | "official" | "recommended";

/** A repair as data. `create` refuses a network that it cannot mend. */
export interface RepairDescriptor<Options extends z.ZodObject = z.ZodObject>
  extends Descriptor<Options, RepairContext, Repair> {
  readonly needs: {
    /** Fewest clean images with labels. */
    readonly cleanImages: number;
    /** Whether thresholds are chosen on images that are held out; a repair without learns from all. */
    readonly heldImages: boolean;
  };
  /** Options by preset name. `recommended` is the default where there is one, else `paper`. */
  readonly presets: Readonly<Partial<Record<RepairPreset, z.input<Options>>>>;
}

/** Defines a repair: an identity function that lets TypeScript infer the options. */
export function defineRepair<Options extends z.ZodObject>(
  descriptor: RepairDescriptor<Options>,
): RepairDescriptor<Options> {
  return descriptor;
}
