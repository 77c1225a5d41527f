/**
 * @file What a checkpoint is to the rest of the house: tensors by name. And the one place that knows how training
 * scripts wrap that: under which keys they nest it, and which prefixes their wrappers add.
 */
import { FormatError } from "../../core/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { describeValue, isRecord, type PickleValue, type TensorRecord } from "./pickle-values.ts";

/** Tensors by name, as the network that was saved names them. */
export type StateDict = ReadonlyMap<string, Tensor>;

/**
 * Keys under which a state dict may lie, best first: the averaged weights (EMA) are the ones that a diffusion model
 * samples with.
 */
const nestings = ["ema", "ema_state_dict", "model_ema", "state_dict", "model_state_dict", "model", "net", "unet"];
const NESTING_DEPTH = 4;

/** What `DataParallel` and `torch.compile` put before every name. */
const prefixes = ["module.", "_orig_mod."];

/**
 * The tensors of a checkpoint's object: its own, or those of the first nested dict that has any.
 * @throws FormatError naming what is there instead.
 */
export function findState(value: PickleValue, subject: string): ReadonlyMap<string, TensorRecord> {
  const found = search(value, NESTING_DEPTH);
  if (found !== undefined) return found;
  const keys = value instanceof Map ? [...value.keys()].filter((key) => typeof key === "string") : [];
  const got = keys.length === 0 ? describeValue(value) : `a dict of ${keys.slice(0, 8).join(", ").slice(0, 200)}`;
  throw new FormatError(
    `${subject}: expected tensors by name, at the top or under ${nestings.join(", ")}, got ${got}.`,
  );
}

function search(value: PickleValue | undefined, depth: number): ReadonlyMap<string, TensorRecord> | undefined {
  if (!(value instanceof Map) || depth === 0) return undefined;
  const tensors = new Map<string, TensorRecord>();
  for (const [key, item] of value) {
    if (typeof key === "string" && isRecord(item) && item.kind === "tensor") tensors.set(key, item);
  }
  if (tensors.size > 0) return tensors;
  for (const key of nestings) {
    const nested = search(value.get(key), depth - 1);
    if (nested !== undefined) return nested;
  }
  return undefined;
}

/** The same tensors without the prefixes that wrappers put before every name. */
export function withoutWrappers(state: StateDict): StateDict {
  const prefix = prefixes.find((start) => state.size > 0 && [...state.keys()].every((name) => name.startsWith(start)));
  if (prefix === undefined) return state;
  return withoutWrappers(new Map([...state].map(([name, value]) => [name.slice(prefix.length), value])));
}
