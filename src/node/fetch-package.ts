/** @file Fetches a package's archive through npm, with the registry and the settings of this machine; runs none of it. */
import { execFile } from "node:child_process";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { EndpointError, MissingDependencyError, messageOf } from "../core/errors.ts";
import type { DatasetFile } from "../data/dataset.ts";
import { verifyFile } from "../data/verify-file.ts";
import { systemCode } from "./file-error.ts";
import { readWhole } from "./read-whole.ts";

const run = promisify(execFile);

/**
 * Puts the archive of a file's package at a path: whole and verified, or not at all.
 * @throws MissingDependencyError when npm is not there, EndpointError with its words when it fails, FormatError when
 * the archive is not the one that is expected, the signal's reason when aborted.
 */
export async function fetchPackage(file: DatasetFile, path: string, signal: AbortSignal | undefined): Promise<void> {
  const { name = file.name, version = "" } = file.package ?? {};
  const folder = await mkdtemp(join(dirname(path), ".package-"));
  try {
    await pack(`${name}${version === "" ? "" : `@${version}`}`, folder, signal);
    const archive = join(folder, file.name);
    verifyFile(file, await readWhole(archive, { maxBytes: file.bytes, signal }));
    await rename(archive, path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function pack(specifier: string, folder: string, signal: AbortSignal | undefined): Promise<void> {
  const onWindows = process.platform === "win32";
  const args = ["pack", specifier, "--pack-destination", folder, "--ignore-scripts", "--loglevel", "error"];
  try {
    // On Windows npm is a script, which only a shell runs; the arguments are ours, and the folder is quoted.
    await run(onWindows ? "npm.cmd" : "npm", onWindows ? args.map((arg) => `"${arg}"`) : args, {
      shell: onWindows,
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (cause) {
    signal?.throwIfAborted();
    if (systemCode(cause) === "ENOENT") {
      throw new MissingDependencyError(`${specifier}: expected npm to fetch it with, got none on this machine.`, {
        cause,
      });
    }
    const words = messageOf(cause).trim().split(/\r?\n/).at(-1) ?? "";
    throw new EndpointError(`${specifier}: expected npm to fetch it, got "${words}".`, { cause });
  }
}
