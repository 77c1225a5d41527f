/** @file How large a picture may be here, said before it is read. */

/** Limits of one picture: a tab has less memory than a server. */
export const pictureLimits = { maxBytes: 64 * 2 ** 20, maxPixels: 64_000_000 } as const;

/** Refuses a file that is too large to be read. */
export function checkSize(name: string, { size }: Blob): void {
  if (size > pictureLimits.maxBytes) {
    throw new Error(
      `${name}: expected at most ${pictureLimits.maxBytes} bytes, got ${size}. Do make it smaller first.`,
    );
  }
}
