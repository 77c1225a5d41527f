/**
 * @file What a trigger is. As data it is a record that a folder holds; opened, it is put onto images. What differs from
 * one sort of trigger to the next is its kind, and lives in `kinds/`.
 */
import type { z } from "zod";
import type { RunContext } from "../core/run-context.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Float32Tensor, TensorOf } from "../tensor/tensor.ts";
import type { LabelMap } from "./label-map.ts";

/** Dims of one image. */
export type ImageShape = readonly [channels: number, height: number, width: number];

/** What triggers keep beside their parameters: masks and patterns as floats, pools of pictures as bytes. */
export type TriggerArrays = Readonly<Record<string, Float32Tensor | TensorOf<"uint8">>>;

/** A trigger as data: everything that its folder holds. */
export interface TriggerRecord {
  /** A name of the registry of kinds. */
  readonly kind: string;
  /** Name of the attack. */
  readonly attack: string;
  /** Paper or repository. */
  readonly source: string;
  /** The seed that it was drawn with, and that its own random choices are made with. */
  readonly seed: number;
  readonly labels: LabelMap;
  /** What images must look like. */
  readonly shape: ImageShape;
  /** As the kind describes them. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly arrays: TriggerArrays;
  /** Of kinds that are a network: the ONNX file. */
  readonly model?: Uint8Array | undefined;
}

/** Puts something onto every image of a batch, as a new tensor of equal dims in [0, 1]; the input is not modified. */
export type Apply = (images: Float32Tensor, run: RunContext) => Promise<Float32Tensor>;

/**
 * An image that looks triggered and is not meant to be: its true label should remain.
 * `noise`: the trigger's disturbance without its regularity (WaNet). `cross`: the trigger that belongs to another image
 * (input-aware, BPP).
 */
export interface Control {
  readonly name: "noise" | "cross";
  /** @param others as many other images, for `cross`; of equal dims. */
  apply(images: Float32Tensor, others: Float32Tensor, run: RunContext): Promise<Float32Tensor>;
}

/** What a kind makes of a record. Dims have been checked when it is called. */
export interface TriggerBody {
  /** @param images float32 [N, C, H, W] in [0, 1]; not modified. @returns new images of equal dims in [0, 1]. */
  apply(images: Float32Tensor, run: RunContext): Float32Tensor | Promise<Float32Tensor>;
  readonly control?: Control | undefined;
  dispose?(): Promise<void>;
}

/** A trigger that is ready to apply. Whoever opens it disposes it. */
export interface Trigger extends TriggerRecord {
  /**
   * @param images float32 [N, C, H, W] in [0, 1]; not modified. @param run noise by row: random triggers differ by image.
   * @returns new images of equal dims in [0, 1].
   * @throws ShapeError when C, H or W differ from the trigger's, the signal's reason when aborted.
   */
  readonly apply: Apply;
  readonly control: Control | undefined;
  dispose(): Promise<void>;
}

/** What opening a trigger may use. */
export interface TriggerContext {
  /** Kinds that are a network need one. */
  readonly runtime?: Runtime | undefined;
}

/** What a kind is opened from. */
export interface TriggerParts<Parameters> {
  readonly parameters: Parameters;
  /** The arrays that the kind asked for, as floats: bytes have become unit floats. */
  readonly arrays: Readonly<Record<string, Float32Tensor>>;
  readonly model: Uint8Array | undefined;
  readonly shape: ImageShape;
}

/** A sort of trigger as data. */
export interface TriggerKind<Parameters extends z.ZodObject = z.ZodObject> {
  /** kebab-case. */
  readonly name: string;
  /** One sentence: what it does to an image. */
  readonly summary: string;
  /** Schema of what `trigger.json` holds under `parameters`. */
  readonly parameters: Parameters;
  /**
   * Names of its arrays with what their dims must be for images [C, H, W]; `"N"` stands for any number.
   * Each lies in the folder as NAME.npy.
   */
  readonly arrays: Readonly<Record<string, (shape: ImageShape) => readonly (number | "N")[]>>;
  /** Whether `model.onnx` belongs to it. */
  readonly network?: boolean;
  /** @throws ShapeError or OptionError when the parts do not fit each other. */
  open(parts: TriggerParts<z.output<Parameters>>, context: TriggerContext): TriggerBody | Promise<TriggerBody>;
}

/** Defines a kind of trigger: an identity function that lets TypeScript infer the parameters. */
export function defineTriggerKind<Parameters extends z.ZodObject>(
  kind: TriggerKind<Parameters>,
): TriggerKind<Parameters> {
  return kind;
}
