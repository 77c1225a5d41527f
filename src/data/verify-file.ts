/** @file Is a file of a data set the one that was published? */
import { md5 } from "@noble/hashes/legacy.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { FormatError } from "../core/errors.ts";
import { sha256Hex } from "../core/hash.ts";
import type { DatasetFile } from "./dataset.ts";
import { expandIdx } from "./idx.ts";

/** By what a file was recognised; `nothing` where its authors publish no checksum that we know. */
export type Proof = "sha256" | "md5" | "content" | "nothing";

/** What {@link verifyFile} found out. */
export interface Verified {
  /** SHA-256 of the bytes as given. */
  readonly sha256: string;
  readonly by: Proof;
}

/**
 * Checks that bytes are a file of a data set, as published or, for a `.gz`, packed in another way.
 * @throws FormatError with both checksums when they are not.
 */
export function verifyFile(file: DatasetFile, bytes: Uint8Array): Verified {
  const own = sha256Hex(bytes);
  if (own === file.sha256) return { sha256: own, by: "sha256" };
  if (file.contentSha256 !== undefined) {
    const content = sha256Hex(expandIdx(bytes, file.name));
    if (content === file.contentSha256) return { sha256: own, by: "content" };
    throw new FormatError(
      `${file.name}: expected the content with SHA-256 ${file.contentSha256}, got ${content}. Download it again.`,
    );
  }
  if (file.sha256 !== undefined) {
    throw new FormatError(`${file.name}: expected SHA-256 ${file.sha256}, got ${own}. Download it again.`);
  }
  if (file.md5 === undefined) return { sha256: own, by: "nothing" };
  const actual = bytesToHex(md5(bytes));
  if (actual === file.md5) return { sha256: own, by: "md5" };
  throw new FormatError(`${file.name}: expected MD5 ${file.md5}, got ${actual}. Download it again.`);
}
