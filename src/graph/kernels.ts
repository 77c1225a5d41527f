/** @file Comparing the bytes of constants. */

/** How many bytes a fingerprint looks at. */
const SAMPLES = 256;

/** FNV-1a over bytes spread evenly: equal bytes have equal fingerprints, and a big constant costs no more than a small one. */
export function fingerprint(bytes: Uint8Array): number {
  const stride = Math.max(1, Math.floor(bytes.length / SAMPLES));
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i += stride) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash >>> 0;
}

/** Whether two arrays hold the same bytes; stops at the first difference. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i]! !== b[i]!) return false;
  }
  return true;
}
