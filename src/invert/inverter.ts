/** @file What a trigger inverter is, what it is made from, and what it finds. */
import type { z } from "zod";
import type { Classifier } from "../classifiers/classifier.ts";
import type { Descriptor } from "../core/descriptor.ts";
import type { RunContext } from "../core/run-context.ts";
import type { Prior } from "../diffusion/prior.ts";
import type { Count } from "../metrics/count.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";

/** What is inverted, from which clean images. */
export interface InversionRequest {
  /** float32 [N, C, H, W] in [0, 1]; not modified. Methods learn from the first that serve, and are judged on the others. */
  readonly images: Float32Tensor;
  /** What each image shows; where left out, what the classifier calls it. */
  readonly labels?: ArrayLike<number> | undefined;
  /** Classes to look at, each once. */
  readonly classes: readonly number[];
}

/** Noise, cancellation and progress of an inversion; progress counts steps of all classes. */
export interface InversionRun extends RunContext {
  /** Once aborted, no more steps are made: what has been found by then is measured and returned. For time budgets. */
  readonly enough?: AbortSignal | undefined;
}

/** A reconstructed trigger. */
export type ReconstructedTrigger =
  /** [1, C, H, W] in [-1, 1], added to an image; the sum is clamped to [0, 1]. */
  | { readonly kind: "perturbation"; readonly perturbation: Float32Tensor }
  /** `(1 - mask) * image + mask * pattern`: mask [1, 1, H, W] and pattern [1, C, H, W], both in [0, 1]. */
  | { readonly kind: "patch"; readonly mask: Float32Tensor; readonly pattern: Float32Tensor }
  /** [1, 2, H, W] in pixels, columns before rows: from where, beside its own place, each pixel is read. */
  | { readonly kind: "warp"; readonly field: Float32Tensor };

/** How large a trigger is: of a perturbation over all its values, of a patch over its mask, of a warp over its field in pixels. */
export interface TriggerNorms {
  /** Pixels that change by 1/255 or more in any channel (of a patch: are covered by so much; of a warp: are read so far away). */
  readonly pixels: number;
  readonly l1: number;
  readonly l2: number;
  readonly linf: number;
}

/** How many images that do not show the target class are called it once they carry the trigger. */
export interface TriggerSuccess {
  /** Of the images that it was found on. */
  readonly sources: Count;
  /** Of the other images that were given. */
  readonly others: Count;
  /** Of the same other images (of the sources where there are no others), on the reference classifier where one was given. */
  readonly reference: Count | undefined;
}

/** What was found for one class, from one set of source images. */
export interface Inversion {
  readonly target: number;
  /** Rows of the given images that it was found on. */
  readonly sources: readonly number[];
  readonly trigger: ReconstructedTrigger;
  readonly norms: TriggerNorms;
  readonly success: TriggerSuccess;
  /** The loss before each step: the first is that of the images without a trigger. */
  readonly losses: readonly number[];
  /** False where `enough` ended it before its time. */
  readonly complete: boolean;
}

/** An inverter that is ready to run. Whoever creates it disposes it. */
export interface Inverter {
  /**
   * Looks at classes and yields what it finds as soon as it has it, in the order of the classes. Classes of which every
   * image is are left out: nothing can be learned about them.
   * @throws OptionError for a class that there is not, ShapeError when images do not fit, RuntimeFailure when scores or
   * gradients are not finite, the signal's reason when aborted.
   */
  invert(request: InversionRequest, run: InversionRun): AsyncGenerator<Inversion, void, undefined>;
  dispose(): Promise<void>;
}

/** What an inverter may use. What is in it stays the caller's. */
export interface InverterContext {
  /** Must have gradients: one that `openWhiteBox` has opened. */
  readonly classifier: Classifier;
  readonly prior?: Prior | undefined;
  /** Another classifier of the same classes, a weak one too: a trigger works on the suspect alone. */
  readonly reference?: Classifier | undefined;
}

/** Sets of options that are run one after the other; per class and source the most successful counts. */
export type Preset<Input> = readonly [Input, ...Input[]];

/** Names that presets may have. */
export type PresetName = "paper" | "official" | "recommended";

/** What a method ranks classes by: large success is suspicious, a small norm is. */
export type Statistic = "success" | keyof TriggerNorms;

/** An inverter as data. */
export interface InverterDescriptor<Options extends z.ZodObject = z.ZodObject>
  extends Descriptor<Options, InverterContext, Inverter> {
  /** What `create` cannot do without, whatever the options. */
  readonly needs: { readonly prior: boolean };
  readonly statistic: Statistic;
  /** Option sets by preset name. `recommended` is the default. */
  readonly presets: Readonly<Partial<Record<PresetName, Preset<z.input<Options>>>>>;
}

/** Defines an inverter: an identity function that lets TypeScript infer the options. */
export function defineInverter<Options extends z.ZodObject>(
  descriptor: InverterDescriptor<Options>,
): InverterDescriptor<Options> {
  return descriptor;
}
