/** @file Compressed bodies, as far as the gateway has to look into them; never more than allowed comes out. */
import { gunzip, inflate } from "node:zlib";
import { FormatError } from "../core/errors.ts";
import { Refusal } from "./refusal.ts";

const encodings: Readonly<Record<string, typeof gunzip>> = { gzip: gunzip, "x-gzip": gunzip, deflate: inflate };

/**
 * The bytes as they were before compression.
 * @param limit bytes that may come out.
 * @throws Refusal for an encoding that is not known and for more bytes, FormatError when the bytes are damaged.
 */
export async function inflateBody(body: Uint8Array, encoding: string | undefined, limit: number): Promise<Uint8Array> {
  const name = encoding?.trim().toLowerCase() ?? "";
  if (name === "" || name === "identity") return body;
  const unpack = Object.hasOwn(encodings, name) ? encodings[name] : undefined;
  if (unpack === undefined) {
    throw new Refusal("encoding", `body: expected content-encoding gzip or deflate, got "${name.slice(0, 40)}".`);
  }
  return await new Promise((resolve, reject) => {
    unpack(body, { maxOutputLength: limit }, (error, result) => {
      if (error === null) resolve(result);
      else if ("code" in error && error.code === "ERR_BUFFER_TOO_LARGE") {
        reject(new Refusal("too-large", `body: expected at most ${limit} bytes once unpacked, got more.`));
      } else reject(new FormatError(`body: expected ${name}, got bytes that do not unpack.`, { cause: error }));
    });
  });
}
