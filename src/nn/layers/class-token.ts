/** @file The token that stands for the whole image, in front of those of its patches. */
import type { ValueName } from "../../graph/ir.ts";
import type { Net } from "../net.ts";
import type { Tokens } from "./tokens.ts";

/**
 * The class token `cls_token` [1, 1, channels], then the patches, each with its place added. The class token is the same
 * for every image, so it is put into the first row of the places, and zeros make room for it.
 * @param places [1, 1 + patches.count, channels]. @throws FormatError as {@link Weights.take}.
 */
export function withClassToken({ b, weights }: Net, patches: Tokens, places: ValueName): Tokens {
  const { channels } = patches;
  const classToken = b.weight("cls_token", weights.take("cls_token", [1, 1, channels]));
  const first = b.op("Pad", [classToken, b.ints(0, 0, 0, 0, patches.count, 0)]);
  const added = b.op("Add", [places, first]);
  const roomy = b.op("Pad", [patches.value, b.ints(0, 1, 0, 0, 0, 0)]);
  return { value: b.op("Add", [roomy, added]), count: patches.count + 1, channels };
}
