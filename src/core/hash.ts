/** @file SHA-256 as the house's one content hash: of models, data sets, options. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

/** Lower-case hexadecimal SHA-256 of some bytes, or of several pieces one after the other. */
export function sha256Hex(...pieces: readonly Uint8Array[]): string {
  const hash = sha256.create();
  for (const piece of pieces) hash.update(piece);
  return bytesToHex(hash.digest());
}

/** SHA-256 of a JSON value with its keys sorted, so that equal values hash alike. */
export function hashJson(value: unknown): string {
  return sha256Hex(new TextEncoder().encode(JSON.stringify(sortKeys(value))));
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, inner]) => [key, sortKeys(inner)]),
  );
}
