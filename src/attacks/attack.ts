/** @file What an attack is, and what it is made from. */
import type { z } from "zod";
import type { DifferentiableClassifier } from "../classifiers/differentiable.ts";
import type { Descriptor } from "../core/descriptor.ts";
import type { RunContext } from "../core/run-context.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Float32Tensor, TensorOf } from "../tensor/tensor.ts";
import type { LabelledBatch } from "../training/batches/labelled.ts";
import type { LabelMapKind } from "./label-map.ts";
import type { Trigger } from "./trigger.ts";

/**
 * What the attacker has in hand. `poison`: some training images and their labels. `clean-label`: some training images,
 * labels untouched. `training`: the batches. `loss`: the loss, on every batch. `fine-tune`: the last steps of a model
 * that others trained. `evasion`: nothing but the input at test time; no backdoor, a control.
 */
export type Threat = "poison" | "clean-label" | "training" | "loss" | "fine-tune" | "evasion";

/** The training set that is attacked. */
export interface TrainingImages {
  /** [N, C, H, W] */
  readonly images: TensorOf<"uint8">;
  /** N class ids. */
  readonly labels: ArrayLike<number>;
  /** K */
  readonly classes: number;
}

/** What an attack may use. */
export interface AttackContext {
  readonly data: TrainingImages;
  /** Of everything that the attack draws. */
  readonly seed: number;
  readonly runtime?: Runtime | undefined;
  /** A classifier trained on the clean data; asked for at most once, and trained only then. Its owner disposes it. */
  readonly surrogate?: (() => Promise<DifferentiableClassifier>) | undefined;
  /** Photographs [M, C, H, W] of the images' size, for attacks that blend or reflect; made from the seed without. */
  readonly photos?: TensorOf<"uint8"> | undefined;
  readonly signal?: AbortSignal | undefined;
  progress?(done: number, total: number): void;
}

/** Cancellation and progress of a poisoning; its noise comes from the attack's seed and the images' indices. */
export type PoisonRun = Omit<RunContext, "noise">;

/** Rows of the training set that the attacker has changed, and nothing of the others. */
export interface PoisonedRows {
  /** Indices of the changed rows, ascending. */
  readonly indices: Int32Array;
  /** [P, C, H, W]: what stands there now. */
  readonly images: TensorOf<"uint8">;
  /** P labels that stand there now. */
  readonly labels: Int32Array;
  /** Which of the P rows carry the trigger with the attacker's label; the others are covers with their true label. */
  readonly triggered: Uint8Array;
}

/** A batch of the training set, as the trainer hands it over. */
export interface TrainingBatch {
  /** float32 [N, C, H, W] in [0, 1]. Not to be modified. */
  readonly images: Float32Tensor;
  /** N class ids. */
  readonly labels: Int32Array;
  /** Index of each row in the training set. */
  readonly indices: Int32Array;
}

/** Where training stands, with noise by row: a function of seed, index in the training set, stream and step. */
export interface BatchState extends RunContext {
  readonly step: number;
  readonly epoch: number;
  /**
   * Mean loss of the last batches, at most so many; `undefined` while there is none. Batches are made one step ahead: the
   * last loss known is that of two steps before.
   */
  meanLoss(batches: number): number | undefined;
  /**
   * The derivative of each row's cross-entropy by its pixels, for nets that learn beside the victim; under the weights as
   * they were when the batch was asked for, one step behind. @param targets [N, K]. @returns [N, C, H, W].
   */
  pixelGradient(images: Float32Tensor, targets: Float32Tensor): Promise<Float32Tensor>;
}

/**
 * A batch of R rows as the loss sees it: the mean over the rows of `weight * cross-entropy`. Rows of weight zero teach
 * nothing, but normalisation over the batch sees them.
 */
export type ComposedBatch = LabelledBatch;

/** What attacks that train a victim have in common. */
interface BackdoorAttack {
  /** The trigger; of attacks with nets that learn along, as it is now: ask after training. Disposed with the attack. */
  trigger(): Promise<Trigger>;
  /**
   * Augmentation that belongs to the attack: stands in for the trainer's, on all rows, after the trigger.
   * @param run noise by row, and the number of the step for its draws.
   */
  augment?(images: Float32Tensor, run: RunContext & { readonly step: number }): Promise<Float32Tensor>;
  dispose(): Promise<void>;
}

/** Edits a share of the training set before training. The trigger comes before the trainer's augmentation. */
export interface PoisoningAttack extends BackdoorAttack {
  readonly how: "poison";
  /** @throws OptionError when the asked ratio cannot be met, the signal's reason when aborted. */
  poison(run: PoisonRun): Promise<PoisonedRows>;
  /** How the victim is trained; from fresh weights, all of them, when left out. */
  readonly victim?: { readonly start: "fresh" | "surrogate"; readonly train: "all" | "last-layer" } | undefined;
}

/** Rewrites every batch of the training. */
export interface ComposingAttack extends BackdoorAttack {
  readonly how: "compose";
  /** Whether `compose` sees rows before or after the trainer's augmentation. */
  readonly order: "before-augmentation" | "after-augmentation";
  /**
   * Whether nets of the attack learn beside the victim. It may then ask for pixel gradients; what its nets know is in no
   * checkpoint, so that such a training begins anew after a stop.
   */
  readonly learns?: boolean;
  /** Rows that a batch of `n` rows becomes. */
  rows(n: number): number;
  compose(batch: TrainingBatch, state: BatchState): Promise<ComposedBatch>;
}

/** Trains nothing: changes test images against a given classifier. */
export interface EvasionAttack {
  readonly how: "evade";
  /**
   * @param images float32 [N, C, H, W] in [0, 1]. @param labels what they show.
   * @returns new images of equal dims in [0, 1].
   */
  evade(
    images: Float32Tensor,
    labels: ArrayLike<number>,
    options: { readonly classifier: DifferentiableClassifier; readonly run: RunContext },
  ): Promise<Float32Tensor>;
  dispose(): Promise<void>;
}

/** An attack that is ready. Whoever created it disposes it. */
export type PreparedAttack = PoisoningAttack | ComposingAttack | EvasionAttack;

/** What `create` asks of its context; callers ask before any work. */
export interface AttackNeeds {
  /** Images of three channels. */
  readonly colour?: boolean;
  /** Fewest pixels along the shorter side. */
  readonly side?: number;
  /** Fewest classes. */
  readonly classes?: number;
  readonly surrogate?: boolean;
  readonly runtime?: boolean;
}

/** Names that presets may have. */
export type AttackPreset = "paper" | "official" | "recommended";

/** Figures that somebody has printed about an attack. */
export interface PublishedAttack {
  /** Data, network, and who says so. */
  readonly where: string;
  /** Share of clean images called by their label; absent where it is not told. */
  readonly cleanAccuracy?: number | undefined;
  /** Share of triggered images called the target. */
  readonly attackSuccess: number;
}

/** An attack as data. */
export interface AttackDescriptor<Options extends z.ZodObject = z.ZodObject>
  extends Descriptor<Options, AttackContext, PreparedAttack> {
  readonly threat: Threat;
  /** Label maps that it can do, its default first. */
  readonly labelMaps: readonly LabelMapKind[];
  readonly needs: AttackNeeds;
  /** What its authors, or those who repeated it, report: on other data and networks, so for orientation only. */
  readonly published?: PublishedAttack | undefined;
  /** Options by preset name. `recommended` is the default where there is one, else `paper`. */
  readonly presets: Readonly<Partial<Record<AttackPreset, z.input<Options>>>>;
}

/** Defines an attack: an identity function that lets TypeScript infer the options. */
export function defineAttack<Options extends z.ZodObject>(
  descriptor: AttackDescriptor<Options>,
): AttackDescriptor<Options> {
  return descriptor;
}
