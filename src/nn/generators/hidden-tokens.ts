/**
 * @file How a transformer is kept from seeing hidden tokens. Either all tokens are computed and attention leaves the
 * hidden ones out, for any number of them; or only the visible ones are computed, when every image has as many.
 */
import { int, ints } from "../../graph/builder.ts";
import type { ValueName } from "../../graph/ir.ts";
import type { Tokens } from "../layers/tokens.ts";
import type { Net } from "../net.ts";

/** Added to a score, leaves exactly nothing of its share, and is still finite where all keys are hidden. */
const NEVER = -1e9;

/** Tokens on which a transformer works in place of all. */
export interface VisibleTokens {
  readonly tokens: Tokens;
  /** As that of `transformerBlock`. */
  readonly keyBias: ValueName | undefined;
  /** Puts tokens back into their places; what is in the hidden ones means nothing. */
  restore(tokens: Tokens): Tokens;
}

/** Which patches are hidden, bool [N, patches], from numbers: those above a half. */
export function hiddenPatches({ b }: Pick<Net, "b">, mask: ValueName): ValueName {
  return b.op("Greater", [mask, b.float(0.5)]);
}

/**
 * All tokens; hidden ones are seen by nobody.
 * @param x a class token, which all see, and the patches. @param hidden bool [N, patches].
 */
export function unseen({ b }: Net, x: Tokens, hidden: ValueName): VisibleTokens {
  const bias = b.op("Where", [hidden, b.float(NEVER), b.float(0)]);
  const withClass = b.op("Pad", [bias, b.ints(0, 1, 0, 0)]); // [N, 1 + patches]
  const keyBias = b.op("Unsqueeze", [withClass, b.ints(1, 2)]);
  return { tokens: x, keyBias, restore: (tokens) => tokens };
}

/**
 * The class token and the first visible patches only. They are chosen by a product with a matrix of zeros and ones, whose
 * gradient is another one; a gather's would be a scatter.
 * @param visible patches that every image shows. @param x, hidden as in {@link unseen}.
 */
export function onlyVisible(
  { b }: Net,
  x: Tokens,
  { hidden, visible }: { readonly hidden: ValueName; readonly visible: number },
): VisibleTokens {
  const count = 1 + visible;
  const shown = b.op("Cast", [b.op("Not", [hidden])], { to: int(1) });
  const order = b.op("Pad", [shown, b.ints(0, 1, 0, 0), b.float(2)]); // the class token comes first
  const [, chosen = ""] = b.ops("TopK", [order, b.ints(count)], {}, { outputs: 2 });
  const places = b.constant({
    dtype: "int64",
    dims: [1, 1, x.count],
    data: BigInt64Array.from({ length: x.count }, (_, i) => BigInt(i)),
  });
  const isChosen = b.op("Equal", [b.op("Unsqueeze", [chosen, b.ints(2)]), places]);
  const choice = b.op("Cast", [isChosen], { to: int(1) }); // [N, 1 + visible, 1 + patches]
  return {
    tokens: { ...x, count, value: b.op("MatMul", [choice, x.value]) },
    keyBias: undefined,
    restore: (tokens) => {
      const back = b.op("Transpose", [choice], { perm: ints(0, 2, 1) });
      return { ...tokens, count: x.count, value: b.op("MatMul", [back, tokens.value]) };
    },
  };
}

/** The tokens of patches, with the token `name` [1, 1, channels] in every hidden place. @throws FormatError as {@link Weights.take}. */
export function fillHidden({ b, weights }: Net, name: string, x: Tokens, hidden: ValueName): Tokens {
  const token = b.weight(name, weights.take(name, [1, 1, x.channels]));
  const isHidden = b.op("Pad", [b.op("Cast", [hidden], { to: int(1) }), b.ints(0, 1, 0, 0)]);
  const column = b.op("Unsqueeze", [b.op("Cast", [isHidden], { to: int(9) }), b.ints(2)]);
  return { ...x, value: b.op("Where", [column, token, x.value]) };
}
