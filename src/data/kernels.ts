/** @file Inner loops over raw bytes. */

/** Turns every group of `size` bytes round, in place: big-endian numbers become little-endian ones. */
export function swapBytesInto(bytes: Uint8Array, size: number): void {
  for (let start = 0; start + size <= bytes.length; start += size) {
    for (let low = start, high = start + size - 1; low < high; low++, high--) {
      const byte = bytes[low]!;
      bytes[low] = bytes[high]!;
      bytes[high] = byte;
    }
  }
}
