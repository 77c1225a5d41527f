/** @file Batches from a description: plain data, which can be sent to another thread and opened there. */
import type { Feeds } from "../../runtime/runtime.ts";
import type { StepBatches } from "../loop.ts";
import { type DiffusionBatches, diffusionBatches } from "./diffusion.ts";
import { type LabelledBatch, type LabelledBatches, labelledBatches } from "./labelled.ts";
import { type MaskedBatches, maskedBatches } from "./masked.ts";

/** What each kind of batch is made from, and what it is. */
export interface BatchKinds {
  readonly labelled: { readonly from: LabelledBatches; readonly batch: LabelledBatch };
  readonly diffusion: { readonly from: DiffusionBatches; readonly batch: Feeds };
  readonly masked: { readonly from: MaskedBatches; readonly batch: Feeds };
}

/** A kind of batch. */
export type BatchKind = keyof BatchKinds;

/** A description of batches: no functions, so that a structured clone is as good. */
export type BatchSpec<K extends BatchKind = BatchKind> = {
  readonly [Kind in K]: { readonly kind: Kind } & BatchKinds[Kind]["from"];
}[K];

const openers: { readonly [K in BatchKind]: (from: BatchKinds[K]["from"]) => StepBatches<BatchKinds[K]["batch"]> } = {
  labelled: labelledBatches,
  diffusion: diffusionBatches,
  masked: maskedBatches,
};

/** Opens what is described. Equal descriptions give equal batches, wherever they are opened. @throws what its kind throws. */
export function openBatches<K extends BatchKind>(spec: BatchSpec<K>): StepBatches<BatchKinds[K]["batch"]> {
  const open: (from: BatchSpec<K>) => StepBatches<BatchKinds[K]["batch"]> = openers[spec.kind];
  return open(spec);
}
