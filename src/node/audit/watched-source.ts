/** @file Which bytes of a prior were read: an audit is about these and no others. */
import type { ByteSource } from "../../core/byte-source.ts";
import { FormatError } from "../../core/errors.ts";
import { sha256Hex } from "../../core/hash.ts";
import type { AuditFile } from "../../results/audit-record.ts";

/** A source that remembers what it gave. */
export interface WatchedSource {
  readonly source: ByteSource;
  /** Everything that was read so far, by name. */
  files(): AuditFile[];
  /** Reads everything again. @throws FormatError when a file is not what it was. */
  verify(signal?: AbortSignal): Promise<void>;
}

/** Watches a source. Reading a file that has changed since it was read throws FormatError: nothing about it would be true. */
export function watchedSource(source: ByteSource, place: string): WatchedSource {
  const seen = new Map<string, AuditFile>();
  const read: ByteSource = async (name, signal) => {
    const bytes = await source(name, signal);
    const file = { name, bytes: bytes.length, sha256: sha256Hex(bytes) };
    const before = seen.get(name);
    // Not an InputError: readers of optional files take that for "absent".
    if (before !== undefined && before.sha256 !== file.sha256) {
      throw new FormatError(
        `${place}: expected files that stay as they are, got ${changeOf(before, file)}. Do copy the folder and audit the copy.`,
      );
    }
    seen.set(name, file);
    return bytes;
  };
  return {
    source: read,
    files: () => [...seen.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    verify: async (signal) => {
      for (const name of [...seen.keys()]) await read(name, signal);
    },
  };
}

function changeOf(before: AuditFile, after: AuditFile): string {
  return `${after.name} with SHA-256 ${before.sha256.slice(0, 12)}… (${before.bytes} bytes) first and ${after.sha256.slice(0, 12)}… (${after.bytes} bytes) later`;
}

/**
 * A source that gives only what was audited.
 * @throws (on use) FormatError for a file that is not among the audited ones, or has other bytes.
 */
export function auditedSource(source: ByteSource, files: readonly AuditFile[], place: string): ByteSource {
  const known = new Map(files.map((file) => [file.name, file]));
  return async (name, signal) => {
    const bytes = await source(name, signal);
    const audited = known.get(name);
    const sha256 = sha256Hex(bytes);
    if (audited?.sha256 === sha256) return bytes;
    const expected = audited === undefined ? "no such file" : `SHA-256 ${audited.sha256.slice(0, 12)}…`;
    throw new FormatError(
      `${place}: expected the prior that was audited (${name}: ${expected}), got ${name} with SHA-256 ${sha256.slice(0, 12)}…. Do audit this one: untrigger audit ${place} -o REPORT.`,
    );
  };
}
