/**
 * @file What a checkpoint is to the rest of the house: tensors by name. And the one place that knows how training
 * scripts wrap that: under which keys they nest it, and which prefixes their wrappers add.
 */

import { FormatError } from "../../core/errors.ts";
import { printable } from "../../data/quote.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { describeValue, isRecord, type PickleValue, type TensorRecord } from "./pickle-values.ts";

/** Tensors by name, as the network that was saved names them. */
export type StateDict = ReadonlyMap<string, Tensor>;

/**
 * Keys under which a state dict may lie, best first: the averaged weights (EMA) are the ones that a diffusion model
 * samples with.
 */
const nestings = ["ema", "ema_state_dict", "model_ema", "state_dict", "model_state_dict", "model", "net", "unet"];
/** Real files nest twice at most; strangers' files may nest without end. */
const MAX_LAYERS = 4;

/** What `DataParallel` and `torch.compile` put before every name. */
const prefixes = ["module.", "_orig_mod."];

/**
 * The tensors of a checkpoint's object: those of the first nested dict that has any, else its own.
 * @throws FormatError naming what is there instead.
 */
export function findState(value: PickleValue, subject: string): ReadonlyMap<string, TensorRecord> {
  const found = search(value, MAX_LAYERS, new Set());
  if (found !== undefined) return found;
  const keys = value instanceof Map ? [...value.keys()].filter((key) => typeof key === "string") : [];
  const got = keys.length === 0 ? describeValue(value) : `a dict of ${printable(keys.slice(0, 8).join(", "))}`;
  throw new FormatError(
    `${subject}: expected tensors by name, at the top or under ${nestings.join(", ")}, got ${got}.`,
  );
}

/** Nested dicts come first: scripts put tensors of their own (a random state) beside them. */
function search(
  value: PickleValue | undefined,
  depth: number,
  seen: Set<PickleValue>,
): ReadonlyMap<string, TensorRecord> | undefined {
  if (!(value instanceof Map) || depth === 0 || seen.has(value)) return undefined;
  seen.add(value);
  for (const key of nestings) {
    const nested = search(value.get(key), depth - 1, seen);
    if (nested !== undefined) return nested;
  }
  const tensors = new Map<string, TensorRecord>();
  for (const [key, item] of value) {
    if (typeof key === "string" && isRecord(item) && item.kind === "tensor") tensors.set(key, item);
  }
  return tensors.size > 0 ? tensors : undefined;
}

/** The same tensors without the prefixes that wrappers put before every name. */
export function withoutWrappers(state: StateDict): StateDict {
  let names = [...state.keys()];
  for (let layer = 0; layer < MAX_LAYERS && names.length > 0; layer++) {
    const prefix = prefixes.find((start) => names.every((name) => name.startsWith(start)));
    if (prefix === undefined) break;
    names = names.map((name) => name.slice(prefix.length));
  }
  return new Map([...state.values()].map((value, i) => [names[i] ?? "", value]));
}
