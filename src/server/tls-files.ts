/** @file Certificates, keys and authorities from disk, checked before anything listens or asks. */
import { createSecureContext } from "node:tls";
import { FormatError, messageOf } from "../core/errors.ts";
import { readWhole } from "../node/read-whole.ts";

/** Certificate and key, PEM. */
export interface TlsFiles {
  readonly cert: Uint8Array;
  readonly key: Uint8Array;
}

/** Largest file that is read. */
const PEM_BYTES = 2 ** 20;

/**
 * Reads the gateway's own certificate and its key.
 * @throws InputError when one is missing, FormatError when they are not PEM or not each other's.
 */
export async function readTlsFiles(paths: { readonly cert: string; readonly key: string }): Promise<TlsFiles> {
  const [cert, key] = [await readPem(paths.cert), await readPem(paths.key)];
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    throw new FormatError(
      `tls: expected a certificate in ${paths.cert} and its key in ${paths.key}, both PEM, got others; because ${reasonOf(cause)}.`,
      { cause },
    );
  }
  return { cert, key };
}

/**
 * Reads the authorities that upstreams are trusted by.
 * @throws InputError when the file is missing, FormatError when no certificate is in it.
 */
export async function readAuthorities(path: string): Promise<Uint8Array> {
  const ca = await readPem(path);
  try {
    // Text without certificates would be taken for an empty list.
    if (!ca.includes("-----BEGIN CERTIFICATE-----")) throw new Error("no certificate begins in it");
    createSecureContext({ ca });
  } catch (cause) {
    throw new FormatError(`${path}: expected certificates, PEM, got other text; because ${reasonOf(cause)}.`, {
      cause,
    });
  }
  return ca;
}

async function readPem(path: string): Promise<Buffer> {
  return Buffer.from(await readWhole(path, { maxBytes: PEM_BYTES }));
}

/** OpenSSL's words without its numbers: `error:0480006C:PEM routines::no start line` is "no start line". */
function reasonOf(cause: unknown): string {
  return messageOf(cause).split(":").at(-1)?.trim() ?? "";
}
