/** @file Reconstructed triggers: putting them onto images, measuring them, and counting what they do. */
import type { Classifier } from "../classifiers/classifier.ts";
import { winners } from "../metrics/accuracy.ts";
import { type Count, rate } from "../metrics/count.ts";
import { clamp } from "../tensor/arithmetic.ts";
import { takeRows } from "../tensor/rows.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import type { Inversion, InversionRun, InverterContext, ReconstructedTrigger, TriggerNorms } from "./inverter.ts";
import { addToRowsInto, blendRowsInto } from "./kernels.ts";
import { type CheckedRequest, rowsBeside } from "./needs.ts";
import { warpImages } from "./warp.ts";

/** The smallest change that a picture file can hold. */
const VISIBLE = 1 / 255;

/** Puts a trigger onto every image, as new images in [0, 1]. @param images float32 [N, C, H, W] in [0, 1]. */
export function stamp(images: Float32Tensor, trigger: ReconstructedTrigger): Float32Tensor {
  if (trigger.kind === "warp") return warpImages(images, trigger.field);
  const out = float32(images.dims);
  if (trigger.kind === "patch") {
    blendRowsInto(out.data, images.data, trigger.mask.data, trigger.pattern.data);
    return out;
  }
  addToRowsInto(out.data, images.data, trigger.perturbation.data);
  return clamp(out, 0, 1);
}

/** A perturbation as a trigger. @param change [C * H * W]. @param dims [C, H, W]. */
export function perturbationOf(change: Float32Array, dims: readonly number[]): ReconstructedTrigger {
  return { kind: "perturbation", perturbation: float32([1, ...dims], change) };
}

/** The size of a trigger. */
export function normsOf(trigger: ReconstructedTrigger): TriggerNorms {
  const { dims, data } = extentOf(trigger);
  const plane = (dims[2] ?? 1) * (dims[3] ?? 1);
  const seen = new Uint8Array(plane);
  let [l1, squares, linf] = [0, 0, 0];
  for (const [i, value] of data.entries()) {
    const size = Math.abs(value);
    l1 += size;
    squares += size * size;
    linf = Math.max(linf, size);
    // A step of one in 255 is 0.00392157 as float32: rounding must not hide it.
    if (size >= VISIBLE * (1 - 1e-6)) seen[i % plane] = 1;
  }
  return { pixels: seen.reduce((sum, one) => sum + one, 0), l1, l2: Math.sqrt(squares), linf };
}

/** What says where and how much a trigger acts: [1, 1, H, W] of a patch, [1, C, H, W] of a perturbation, [1, 2, H, W] of a warp. */
export function extentOf(trigger: ReconstructedTrigger): Float32Tensor {
  if (trigger.kind === "patch") return trigger.mask;
  return trigger.kind === "warp" ? trigger.field : trigger.perturbation;
}

/** What a method knows of a class when its search has ended. */
export type Found = Pick<Inversion, "target" | "sources" | "trigger" | "losses" | "complete">;

/** Measures what was found: its size, and how many images it flips here and on the reference. */
export async function measured(
  found: Found,
  request: CheckedRequest,
  { context, run }: { readonly context: InverterContext; readonly run: InversionRun },
): Promise<Inversion> {
  const learned = new Set(found.sources);
  const beside = rowsBeside(request, found.target);
  const others = beside.filter((row) => !learned.has(row));
  const flipped = async (classifier: Classifier, rows: readonly number[]): Promise<Count> => {
    if (rows.length === 0) return { hits: 0, total: 0 };
    const stamped = stamp(takeRows(request.images, rows), found.trigger);
    const { scores } = await classifier.classify(stamped, run.signal);
    return { hits: winners(scores).filter((label) => label === found.target).length, total: rows.length };
  };
  const { classifier, reference } = context;
  return {
    ...found,
    norms: normsOf(found.trigger),
    success: {
      sources: await flipped(classifier, found.sources),
      others: await flipped(classifier, others),
      reference: reference && (await flipped(reference, others.length > 0 ? others : found.sources)),
    },
  };
}

/** How much of the other images a trigger moves; of its sources, where there are no others. */
export function successOf({ success }: Pick<Inversion, "success">): number {
  return rate(success.others.total > 0 ? success.others : success.sources);
}
