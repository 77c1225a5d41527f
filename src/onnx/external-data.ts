/**
 * @file Reading weights that lie in files beside the model. A model names those files itself, so their names, offsets
 * and lengths are a stranger's words: each is checked before a byte is used.
 * @source https://onnx.ai/onnx/repo-docs/ExternalData.html
 */
import type { ByteSource } from "../core/byte-source.ts";
import { FormatError } from "../core/errors.ts";
import { byteLengthOf, countElements, elementTypeName } from "./element-types.ts";
import { DataLocation, type ModelProto, type TensorProto } from "./schema.ts";
import { tensorsOf } from "./tensors.ts";

/** The files of external data by the location that the model names: what `Runtime.load` takes as `externalData`. */
export type ExternalFiles = Readonly<Record<string, Uint8Array>>;

/** Where one tensor's bytes are. */
interface Place {
  readonly location: string;
  readonly offset: number;
  /** To the end of the file when left out. */
  readonly length: number | undefined;
}

/**
 * Reads the external files that a model names, each once, and checks that every tensor's bytes are there.
 * @param source files of the model's own folder.
 * @returns the files by location; empty when the model carries all its weights itself.
 * @throws FormatError for a location outside the folder, a place outside the file, a length that dims contradict.
 */
export async function loadExternalData(
  model: ModelProto,
  source: ByteSource,
  signal?: AbortSignal,
): Promise<ExternalFiles> {
  const tensors = externalTensors(model);
  const places = tensors.map(placeOf);
  const files = new Map<string, Uint8Array>();
  for (const { location } of places) {
    if (!files.has(location)) files.set(location, await source(location, signal));
  }
  const loaded = Object.fromEntries(files);
  for (const tensor of tensors) bytesOf(tensor, loaded);
  return loaded;
}

/**
 * Moves external weights into the model itself, as views on the files; the model is changed in place.
 * @throws FormatError as {@link loadExternalData}, and when a file is not among those given.
 */
export function inlineExternalData(model: ModelProto, files: ExternalFiles): void {
  for (const tensor of externalTensors(model)) {
    tensor.rawData = bytesOf(tensor, files) as Uint8Array<ArrayBuffer>;
    tensor.externalData = [];
    tensor.dataLocation = DataLocation.DEFAULT;
  }
}

function externalTensors(model: ModelProto): TensorProto[] {
  return [...tensorsOf(model)].filter(({ dataLocation }) => dataLocation === DataLocation.EXTERNAL);
}

/** One tensor's bytes as a view on its file. */
function bytesOf(tensor: TensorProto, files: ExternalFiles): Uint8Array {
  const what = nameOf(tensor);
  const { location, offset, length } = placeOf(tensor);
  const file = Object.hasOwn(files, location) ? files[location] : undefined;
  if (file === undefined) throw new FormatError(`${what}: expected the external file "${location}", got none.`);
  const end = offset + (length ?? file.length - offset);
  if (offset > file.length || end > file.length) {
    throw new FormatError(`${what}: expected bytes ${offset} to ${end} of "${location}", got ${file.length} bytes.`);
  }
  const needed = byteLengthOf(tensor.dataType, countElements(what, tensor.dims));
  if (needed === undefined || needed !== end - offset) {
    throw new FormatError(
      `${what}: expected ${needed ?? "no"} external bytes for ${elementTypeName(tensor.dataType)} [${tensor.dims.join(", ")}], got ${end - offset}.`,
    );
  }
  return file.subarray(offset, end);
}

function placeOf(tensor: TensorProto): Place {
  const what = nameOf(tensor);
  const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value]));
  const location = entries.get("location") ?? "";
  checkLocation(what, location);
  return {
    location,
    offset: parseCount(what, "offset", entries.get("offset")) ?? 0,
    length: parseCount(what, "length", entries.get("length")),
  };
}

/** A location must be a relative path with slashes that stays inside the model's folder, on every system. */
function checkLocation(what: string, location: string): void {
  const inside =
    location !== "" &&
    !/[\\:\0]/.test(location) &&
    !location.startsWith("/") &&
    location.split("/").every((part) => part !== ".." && part !== "");
  if (!inside) {
    throw new FormatError(
      `${what}: expected an external file inside the model's folder, got ${JSON.stringify(location.slice(0, 200))}.`,
    );
  }
}

function parseCount(what: string, key: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) {
    throw new FormatError(`${what}: expected ${key} as a number of bytes, got ${JSON.stringify(text.slice(0, 40))}.`);
  }
  return value;
}

function nameOf({ name }: TensorProto): string {
  return `tensor "${name.slice(0, 100)}"`;
}
