/** @file What the file system refuses, as one of our sentences. */
import { InputError, messageOf } from "../core/errors.ts";

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "nothing there",
  EACCES: "no permission",
  EPERM: "no permission",
  EISDIR: "a folder",
  ENOTDIR: "a path that leads through a file",
  EEXIST: "something else there",
  EROFS: "a file system that is read-only",
  ENOSPC: "a disk that is full",
  EDQUOT: "a disk quota that is used up",
  ELOOP: "links that lead in a circle",
  ENAMETOOLONG: "a name that is too long",
  EMFILE: "too many open files",
};

/** The code of a system error (`ENOENT`), if it is one. */
export function systemCode(error: unknown): string | undefined {
  const isSystems = error instanceof Error && "errno" in error && "code" in error;
  return isSystems && typeof error.code === "string" ? error.code : undefined;
}

/** The error for a file that could not be used: `x.png: expected a file, got nothing there.` */
export function fileError(path: string, expected: string, cause: unknown): InputError {
  const code = systemCode(cause);
  const got = (code !== undefined && Object.hasOwn(reasons, code) ? reasons[code] : undefined) ?? messageOf(cause);
  return new InputError(`${path}: expected ${expected}, got ${got}.`, { cause });
}
