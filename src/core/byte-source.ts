/** @file Where bytes come from is the faces' business; everything below is handed one of these. */

/**
 * Reads a file of one folder by its relative name (`unet/config.json`).
 * @throws InputError when there is no such file. Names never leave the folder.
 */
export type ByteSource = (name: string, signal?: AbortSignal) => Promise<Uint8Array>;

/** A {@link ByteSource} over files held in memory. */
export function memorySource(
  files: Readonly<Record<string, Uint8Array>>,
  missing: (name: string) => Error,
): ByteSource {
  return async (name) => {
    const bytes = Object.hasOwn(files, name) ? files[name] : undefined;
    if (bytes === undefined) throw missing(name);
    return bytes;
  };
}
