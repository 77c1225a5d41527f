/** @file What a purifier is, and what it is made from. */
import type { z } from "zod";
import type { Classifier } from "../classifiers/classifier.ts";
import type { Descriptor } from "../core/descriptor.ts";
import type { RunContext } from "../core/run-context.ts";
import type { Prior } from "../diffusion/prior.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";

/** Purified images with what explains them. */
export interface Purified {
  /** float32 [N, C, H, W] in [0, 1], same dims as the input. */
  readonly images: Float32Tensor;
  /**
   * Maps by name, each [N, 1, H, W] in [0, 1]: `difference` always (mean absolute change over channels), and what the
   * method knows beside it (`mask`, `similarity`, `level`…).
   */
  readonly evidence: Readonly<Record<string, Float32Tensor>>;
}

/** A purifier that is ready to run. */
export interface Purifier {
  /**
   * Purifies a batch.
   * @param images float32 [N, C, H, W] in [0, 1]; not modified.
   * @throws ShapeError when C, H or W differ from the prior's.
   */
  purify(images: Float32Tensor, run: RunContext): Promise<Purified>;
  /** Strengths as noise deviation in [0, 1] pixel units, by stage: `{ first: 0.36 }`. t alone means nothing across schedules. */
  readonly sigma01: Readonly<Record<string, number>>;
}

/** What a purifier may use. */
export interface PurifierContext {
  readonly prior?: Prior | undefined;
  readonly classifier?: Classifier | undefined;
}

/** One set of options for each vote; votes beyond the list start again at its beginning. */
export type Preset<Input> = readonly [Input, ...Input[]];

/** A purifier as data. */
export interface PurifierDescriptor<Options extends z.ZodObject = z.ZodObject>
  extends Descriptor<Options, PurifierContext, Purifier> {
  /** What `create` needs; `jobs/` asks for it before any work. */
  readonly needs: { readonly prior: boolean; readonly classifier: boolean };
  /** Option sets by preset name. `recommended` is the default where there is one, else `paper`. */
  readonly presets: Readonly<Partial<Record<PresetName, Preset<z.input<Options>>>>>;
}

/** Names that presets may have. */
export type PresetName = "paper" | "official" | "fast" | "recommended" | "strong";

/** Defines a purifier: an identity function that lets TypeScript infer the options. */
export function definePurifier<Options extends z.ZodObject>(
  descriptor: PurifierDescriptor<Options>,
): PurifierDescriptor<Options> {
  return descriptor;
}
