/** @file Notices when the configuration's file changes. Asks for its state now and then: that also sees mounted and linked files. */
import { unwatchFile, watchFile } from "node:fs";

/** Milliseconds between looks at a file. */
const EVERY = 1000;

/**
 * Calls `changed` after each change of a file, never twice at a time.
 * @returns `stop`, and `now` to act as if it had changed.
 */
export function followFile(
  file: string,
  changed: () => Promise<void>,
): { readonly now: () => void; readonly stop: () => void } {
  let running: Promise<void> | undefined;
  let again = false;
  const now = (): void => {
    if (running !== undefined) {
      again = true;
      return;
    }
    again = false;
    running = changed().finally(() => {
      running = undefined;
      if (again) now();
    });
  };
  watchFile(file, { interval: EVERY }, (after, before) => {
    if (after.mtimeMs !== before.mtimeMs || after.size !== before.size || after.ino !== before.ino) now();
  });
  return { now, stop: () => unwatchFile(file) };
}
