/** @file What a masked auto-encoder is trained on. */
import { type GraphBuilder, int } from "../../graph/builder.ts";
import type { ValueName } from "../../graph/ir.ts";
import type { ImageDims } from "./check-image.ts";
import { hiddenPatches } from "./hidden-tokens.ts";
import { patchGrid } from "./masked-autoencoder.ts";

/** Values that {@link hiddenPatchLoss} compares. */
export interface PaintedImages {
  /** The images themselves, and what was painted: [N, C, H, W]. */
  readonly image: ValueName;
  readonly prediction: ValueName;
  /** float32 [N, patches]: 1 where a patch is hidden. */
  readonly mask: ValueName;
}

/**
 * The mean squared error of the hidden patches' pixels over a batch, a scalar; 0 when nothing is hidden.
 * @param dims of an image. @throws ShapeError as {@link patchGrid}.
 * @source He et al. 2022, "Masked Autoencoders Are Scalable Vision Learners", section 3 ("Reconstruction target")
 */
export function hiddenPatchLoss(
  b: GraphBuilder,
  { image, prediction, mask }: PaintedImages,
  { patch, ...dims }: ImageDims & { readonly patch: number },
): ValueName {
  const { rows, columns } = patchGrid(dims, { patch });
  const error = b.op("Sub", [prediction, image]);
  const pixels = b.op("Reshape", [error, b.ints(0, dims.channels, rows, patch, columns, patch)]);
  const shares = b.op("Cast", [hiddenPatches({ b }, mask)], { to: int(1) });
  const hidden = b.op("Reshape", [shares, b.ints(0, 1, rows, 1, columns, 1)]);
  const sum = (value: ValueName): ValueName => b.op("ReduceSum", [value], { keepdims: int(0) });
  const count = b.op("Mul", [sum(hidden), b.float(dims.channels * patch ** 2)]);
  const total = sum(b.op("Mul", [b.op("Mul", [pixels, pixels]), hidden]));
  return b.op("Div", [total, b.op("Max", [count, b.float(1)])]);
}
