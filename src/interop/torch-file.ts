/**
 * @file Files of `torch.save` as data: dicts, lists, numbers and arrays, through the safe reader. Whole modules, which
 * are code, are refused with the way to get a model out of them.
 */
import { FormatError } from "../core/errors.ts";
import { printable } from "../data/quote.ts";
import { looksLikeZip } from "../data/zip.ts";
import { tensorOfArray } from "../nn/checkpoints/pickle-arrays.ts";
import { refusedGlobal } from "../nn/checkpoints/pickle-globals.ts";
import { describeValue, isRecord, type PickleValue, type TensorRecord } from "../nn/checkpoints/pickle-values.ts";
import { type StateDict, withoutWrappers } from "../nn/checkpoints/state-dict.ts";
import { readTorchLegacy } from "../nn/checkpoints/torch-legacy.ts";
import { materialise } from "../nn/checkpoints/torch-tensors.ts";
import { openTorchZip, type TorchZip } from "../nn/checkpoints/torch-zip.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** First byte of a pickle. */
const PICKLE = 0x80;

/** An opened file of torch.save. */
export interface TorchFile extends TorchZip {
  /** What to call the file in messages. */
  readonly subject: string;
}

/**
 * Opens a file of torch.save (since torch 1.6).
 * @throws FormatError when it is another file, damaged, or asks for code; for a whole module the sentence says how to
 * export it.
 */
export function openTorchFile(bytes: Uint8Array, subject: string): TorchFile {
  try {
    if (looksLikeZip(bytes)) return { ...openTorchZip(bytes, subject), subject };
    // What is read is of no use here; a module in the old format is told apart by what it asks for.
    if (bytes[0] === PICKLE) readTorchLegacy(bytes, subject);
  } catch (error) {
    const name = refusedGlobal(error);
    if (name !== undefined && isNetworkCode(name)) {
      throw moduleRefusal(subject, `it asks for ${printable(name)}`, error);
    }
    if (looksLikeZip(bytes) || name !== undefined) throw error;
  }
  throw new FormatError(
    `${subject}: expected a file of torch.save since torch 1.6 (a zip), got ${bytes.length} other bytes. ` +
      "Do load it with torch and save it again.",
  );
}

/** The refusal of a pickled module. @param why what shows that it is one. */
export function moduleRefusal(subject: string, why: string, cause?: unknown): FormatError {
  const file = printable(subject).replaceAll(/["\\]/g, "_");
  return new FormatError(
    `${subject}: expected numbers and names, got a pickled torch.nn.Module (${why}), whose code is never run. Export it ` +
      `where you trust it: torch.onnx.export(torch.load("${file}", weights_only=False).eval(), ` +
      'torch.zeros(1, C, H, W), "model.onnx").',
    { cause },
  );
}

/** Modules are made of torch's and torchvision's layers, of timm's, or of classes that live in the author's own files. */
function isNetworkCode(name: string): boolean {
  const [top = ""] = name.split(".");
  const isHarmful = /^(os|posix|nt|subprocess|sys|builtins|__builtin__|runpy|socket|shutil|importlib|pty|ctypes)$/.test(
    top,
  );
  if (
    isHarmful ||
    /^(torch\._|torch\.storage|PIL|numpy|pathlib|pandas|_codecs|copyreg|functools|operator)/.test(name)
  ) {
    return false;
  }
  return /(^|\.)nn\.|^torchvision\.|^timm\.|models?\b|net\b|(^|\.)[A-Z]\w*$/i.test(name);
}

/** The values of a dict by name. @throws FormatError when it is another value. */
export function dictOf(value: PickleValue | undefined, subject: string): ReadonlyMap<PickleValue, PickleValue> {
  if (value instanceof Map) return value;
  throw new FormatError(`${subject}: expected a dict, got ${describeValue(value)}.`);
}

/** A text of a dict. @throws FormatError when there is none. */
export function textOf(dict: ReadonlyMap<PickleValue, PickleValue>, key: string, subject: string): string {
  const value = dict.get(key);
  if (typeof value === "string") return value;
  throw new FormatError(`${subject}: expected a text "${key}", got ${describeValue(value)}.`);
}

/** A tensor, of torch or of numpy. @throws FormatError when it is another value or leaves its storage. */
export function tensorIn(value: PickleValue | undefined, { storages }: TorchFile, subject: string): Tensor {
  if (isRecord(value) && value.kind === "array") return tensorOfArray(value, subject);
  if (isRecord(value) && value.kind === "tensor") {
    const tensor = materialise(new Map([["", value]]), { ...storages, subject }).get("");
    if (tensor !== undefined) return tensor;
  }
  throw new FormatError(`${subject}: expected an array or a tensor, got ${describeValue(value)}.`);
}

/**
 * A row of integers from 0: of a list, of numpy's array or of a tensor.
 * @throws FormatError when it is something else, or one of them is not below `limit`.
 */
export function integersIn(
  value: PickleValue | undefined,
  file: TorchFile,
  { subject, limit }: { readonly subject: string; readonly limit: number },
): number[] {
  const numbers = Array.isArray(value) ? value.map(Number) : Array.from(tensorIn(value, file, subject).data, Number);
  const wrong = numbers.findIndex((number) => !(Number.isSafeInteger(number) && number >= 0 && number < limit));
  if (wrong === -1) return numbers;
  throw new FormatError(`${subject}: expected integers from 0 to ${limit - 1}, got ${numbers[wrong]} at ${wrong}.`);
}

/** A state dict, without the prefixes of wrappers. @throws FormatError when it is none. */
export function stateIn(value: PickleValue | undefined, { storages }: TorchFile, subject: string): StateDict {
  const records = new Map<string, TensorRecord>();
  for (const [key, item] of dictOf(value, subject)) {
    if (typeof key === "string" && isRecord(item) && item.kind === "tensor") records.set(key, item);
  }
  if (records.size === 0) throw new FormatError(`${subject}: expected tensors by name, got none.`);
  return withoutWrappers(materialise(records, { ...storages, subject }));
}
