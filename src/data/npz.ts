/** @file numpy's archives: a zip of npy files. Counts and sizes are checked before anything is expanded. */
import { zipSync } from "fflate";
import { FormatError } from "../core/errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { readNpy, writeNpy } from "./npy.ts";
import { quote } from "./quote.ts";
import { expandEntry, readZip } from "./zip.ts";

/** How much an archive may hold. */
export interface NpzLimits {
  /** Most arrays; 10,000 when left out. */
  readonly maxEntries?: number;
  /** Most bytes of all arrays together when expanded; 2 GiB when left out. */
  readonly maxBytes?: number;
}

/**
 * Reads every array of an npz archive, by its name without `.npy`; other files in it are left alone.
 * @param name what to call the archive in messages.
 * @throws FormatError when the archive or an array is damaged, or holds more than the limits.
 */
export function readNpz(
  bytes: Uint8Array,
  name = "npz file",
  { maxEntries = 10_000, maxBytes = 2 ** 31 }: NpzLimits = {},
): ReadonlyMap<string, Tensor> {
  const entries = [...readZip(bytes, name, maxEntries).values()].filter((entry) => entry.name.endsWith(".npy"));
  const total = entries.reduce((sum, { size }) => sum + size, 0);
  if (total > maxBytes) {
    throw new FormatError(`${name}: expected at most ${maxBytes} bytes when expanded, got ${total}.`);
  }
  return new Map(
    entries.map((entry) => [
      entry.name.slice(0, -".npy".length),
      readNpy(expandEntry(entry, name), `${name}: ${quote(entry.name)}`),
    ]),
  );
}

/** Writes arrays by name as an npz archive, deflated unless told otherwise; equal arrays give equal bytes. */
export function writeNpz(
  tensors: ReadonlyMap<string, Tensor>,
  { deflated = true }: { readonly deflated?: boolean } = {},
): Uint8Array {
  const files = [...tensors].map(([name, t]) => [`${name}.npy`, writeNpy(t)] as const);
  return zipSync(Object.fromEntries(files), { level: deflated ? 6 : 0, mtime: new Date(1980, 0, 1) });
}
