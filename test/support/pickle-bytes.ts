/** @file Writes pickles and torch files by hand, honest ones and others, for tests of the reader. */
import { zipSync } from "fflate";

/** A piece of a pickle: opcodes as text of code points below 256, or bytes. */
export type Piece = string | Uint8Array;

/** Pieces one after the other. */
export function bytesOf(...pieces: readonly Piece[]): Uint8Array {
  return Buffer.concat(pieces.map((piece) => (typeof piece === "string" ? Buffer.from(piece, "latin1") : piece)));
}

/** A little-endian unsigned number of `size` bytes. */
export function little(value: number | bigint, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 255n));
}

/** BINUNICODE. */
export const text = (value: string): Uint8Array => bytesOf("X", little(value.length, 4), value);
/** BININT. */
export const int = (value: number): Uint8Array => bytesOf("J", little(value < 0 ? value + 2 ** 32 : value, 4));
/** A tuple of any length. */
export const tuple = (...items: readonly Piece[]): Uint8Array => bytesOf("(", ...items, "t");
/** GLOBAL. */
export const global = (module: string, name: string): string => `c${module}\n${name}\n`;

/** A tensor on storage `key` as `torch.save` writes it. */
export function tensorPiece(
  dims: readonly number[],
  strides: readonly number[],
  { storage = "FloatStorage", key = "0", count = 4, offset = 0 }: Partial<TensorOptions> = {},
): Uint8Array {
  const id = tuple(text("storage"), global("torch", storage), text(key), text("cpu"), int(count));
  return bytesOf(
    global("torch._utils", "_rebuild_tensor_v2"),
    tuple(id, "Q", int(offset), tuple(...dims.map(int)), tuple(...strides.map(int)), "\x89", "N"),
    "R",
  );
}

interface TensorOptions {
  readonly storage: string;
  readonly key: string;
  readonly count: number;
  readonly offset: number;
}

/** A pickle of one dict. */
export function dictPickle(entries: Readonly<Record<string, Piece>>): Uint8Array {
  const items = Object.entries(entries).flatMap(([key, value]) => [text(key), value]);
  return bytesOf("\x80\x02}(", ...items, "u.");
}

/** A file in torch's zip format around a pickle. */
export function torchZip(
  pickle: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = {},
  others: Readonly<Record<string, Uint8Array>> = {},
): Uint8Array {
  const data = Object.entries(storages).map(([key, bytes]) => [`archive/data/${key}`, bytes] as const);
  return zipSync({ "archive/data.pkl": pickle, ...Object.fromEntries(data), ...others }, { level: 0 });
}

/** A file in torch's legacy format around a pickle. */
export function torchLegacy(
  pickle: Uint8Array,
  keys: readonly string[] = [],
  data: Uint8Array = bytesOf(),
): Uint8Array {
  return bytesOf(
    "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.",
    "\x80\x02M\xe9\x03.",
    "\x80\x02}.",
    pickle,
    bytesOf("\x80\x02](", ...keys.map(text), "e."),
    data,
  );
}
