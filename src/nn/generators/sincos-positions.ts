/** @file Places of patches as waves over both axes: fixed, so that nothing has to be learned about them. */
import type { ValueName } from "../../graph/ir.ts";
import { float32 } from "../../tensor/tensor.ts";
import type { Net } from "../net.ts";

/** Wavelengths grow up to 2 pi times this. */
const LONGEST = 10_000;

/** Rows and columns of patches. */
export interface PatchGrid {
  readonly rows: number;
  readonly columns: number;
}

/**
 * Places of a class token and of patches row by row, [1, 1 + rows columns, channels]: the tensor of that name where the
 * checkpoint has one, otherwise the waves that its authors' code makes. The class token's place is zeros; of each patch's
 * channels a half tells the column and a half the row, sines before cosines.
 * @param channels a multiple of 4. @throws FormatError as {@link Weights.take}.
 * @source He et al. 2022, appendix A.1 ("sine-cosine positional embeddings"); facebookresearch/mae, util/pos_embed.py
 */
export function sincosPlaces(
  { b, weights }: Net,
  name: string,
  { rows, columns }: PatchGrid,
  channels: number,
): ValueName {
  const dims = [1, 1 + rows * columns, channels];
  if (weights.has(name)) return b.weight(name, weights.take(name, dims));
  const waves = channels / 4;
  const place = (at: number): number[] => {
    const phases = Array.from({ length: waves }, (_, i) => at / LONGEST ** (i / waves));
    return [...phases.map(Math.sin), ...phases.map(Math.cos)];
  };
  const [ofColumn, ofRow] = [columns, rows].map((count) => Array.from({ length: count }, (_, at) => place(at)));
  const patches = (ofRow ?? []).flatMap((row) => (ofColumn ?? []).flatMap((column) => [...column, ...row]));
  const classToken = Array.from({ length: channels }, () => 0);
  return b.constant(float32(dims, [...classToken, ...patches]));
}
