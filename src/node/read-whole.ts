/** @file Reads a file from disk, large ones too, and nothing that only looks like a file. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { FormatError, InputError } from "../core/errors.ts";
import { fileError } from "./file-error.ts";

/** Node refuses to read more than 2 GiB at once. */
const piece = 2 ** 30;

/**
 * The bytes of a file.
 * @param maxBytes refuses larger files before reading; 4 GiB, the longest buffer, when left out.
 * @throws InputError when it is missing, a folder, a device or a pipe, or may not be read; FormatError when it is too
 * large; the signal's reason when aborted.
 */
export async function readWhole(
  path: string,
  options: { readonly maxBytes?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<Uint8Array> {
  const { maxBytes = 2 ** 32, signal } = options;
  signal?.throwIfAborted();
  // Without NONBLOCK, opening a named pipe would wait for its other end.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: unknown) => {
    throw fileError(path, "a file", cause);
  });
  try {
    const stat = await file.stat();
    if (!stat.isFile())
      throw new InputError(`${path}: expected a file, got ${stat.isDirectory() ? "a folder" : "a device"}.`);
    if (stat.size > maxBytes) {
      throw new FormatError(`${path}: expected at most ${maxBytes} bytes, got ${stat.size}.`);
    }
    const bytes = new Uint8Array(stat.size);
    let filled = 0;
    while (filled < bytes.length) {
      signal?.throwIfAborted();
      const { bytesRead } = await file.read(bytes, filled, Math.min(piece, bytes.length - filled), filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  } catch (cause) {
    if (cause instanceof Error && "syscall" in cause) throw fileError(path, "a file", cause);
    throw cause;
  } finally {
    await file.close();
  }
}
