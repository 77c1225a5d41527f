/** @file The state of a training as a file, replaced whole: a crash or a full disk leaves the last one as it was. */
import { rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { CheckpointStore } from "../training/checkpointed.ts";
import { folderSource } from "./folder-source.ts";
import { readIfThere } from "./read-json.ts";
import { writeWhole } from "./write-whole.ts";

/** A store over one file. */
export interface CheckpointFile extends CheckpointStore {
  /** Removes the file: the training is over. */
  remove(): Promise<void>;
}

/** The checkpoint at a path, whether or not there is one yet. Its methods throw InputError when the disk refuses. */
export function checkpointFile(path: string): CheckpointFile {
  return {
    load: () => readIfThere(folderSource(dirname(path)), basename(path)),
    save: (bytes) => writeWhole(path, bytes, { sync: true }),
    remove: () => rm(path, { force: true }),
  };
}
