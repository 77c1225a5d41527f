/** @file A prior at a path with all that lies beside it, for those who look at the whole folder. */
import { stat } from "node:fs/promises";
import { FormatError } from "../../core/errors.ts";
import { listPaths } from "../list-paths.ts";
import { priorSource } from "../open-prior.ts";
import { type WatchedSource, watchedSource } from "./watched-source.ts";

/** More files than any prior has. */
const MOST_FILES = 1000;

/** A prior that is watched while it is audited. */
export interface PriorFolder extends WatchedSource {
  /** Names of all files of the folder; of those read so far where the prior is a single file. */
  readonly names: readonly string[];
}

/**
 * Opens the files of a prior, reads all of a folder once, and watches them.
 * @throws InputError when there is nothing, FormatError for a folder of more than a thousand files.
 */
export async function openPriorFolder(place: string, signal?: AbortSignal): Promise<PriorFolder> {
  const watched = watchedSource(await priorSource(place), place);
  const isFolder = (await stat(place)).isDirectory();
  const names = isFolder ? await listPaths(place, signal) : [];
  if (names.length > MOST_FILES) {
    throw new FormatError(
      `${place}: expected the folder of a prior, at most ${MOST_FILES} files, got ${names.length}.`,
    );
  }
  for (const name of names) await watched.source(name, signal);
  return { ...watched, names };
}
