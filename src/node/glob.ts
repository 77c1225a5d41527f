/** @file Patterns for paths: `*`, `?` and `[abc]` within a name, `**` for folders at any depth. */
import { type Dirent, promises } from "node:fs";
import { join, sep } from "node:path";
import { InputError } from "../core/errors.ts";

const magic = /[*?[]/;

/** True for a path that is a pattern. */
export function isGlob(path: string): boolean {
  return magic.test(path);
}

/** The folder that a pattern begins in: everything before its first part with a wildcard. */
export function globBase(pattern: string): string {
  const parts = pattern.split(/[\\/]/);
  const fixed = parts.slice(0, parts.findIndex(isGlob));
  if (fixed.length === 1 && fixed[0] === "") return sep;
  return fixed.length === 0 ? "." : fixed.join(sep);
}

/**
 * Paths of the files that match, in no particular order. Names that begin with a dot match no wildcard; `**` does not
 * follow symbolic links to folders.
 */
export async function expandGlob(pattern: string): Promise<string[]> {
  const base = globBase(pattern);
  const parts = pattern.split(/[\\/]/);
  const found = new Set<string>();
  await expand(base, parts.slice(parts.findIndex(isGlob)), found);
  return [...found];
}

async function expand(folder: string, parts: readonly string[], found: Set<string>): Promise<void> {
  const [head = "", ...rest] = parts;
  if (head === "**") await expand(folder, rest.length === 0 ? ["*"] : rest, found);
  const matches = head === "**" ? visible : matcher(head);
  for (const entry of await entriesOf(folder)) {
    if (!matches(entry.name)) continue;
    const path = join(folder, entry.name);
    if (head === "**") {
      if (entry.isDirectory()) await expand(path, parts, found);
    } else if (rest.length > 0) {
      if (await isKind(path, entry, "isDirectory")) await expand(path, rest, found);
    } else if (await isKind(path, entry, "isFile")) found.add(path);
  }
}

/** What lies in a folder; nothing when it is not there or may not be read. */
export async function entriesOf(folder: string): Promise<Dirent[]> {
  return promises.readdir(folder, { withFileTypes: true }).catch(() => []);
}

/** Whether an entry, or what it links to, is a file or a folder. */
export async function isKind(path: string, entry: Dirent, kind: "isFile" | "isDirectory"): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry[kind]();
  return promises.stat(path).then(
    (stat) => stat[kind](),
    () => false,
  );
}

function visible(name: string): boolean {
  return !name.startsWith(".");
}

function matcher(part: string): (name: string) => boolean {
  const source = part.replaceAll(/\*+|\?|\[!?[^\]]+\]|[\\^$.|+(){}[\]]/g, (token) => {
    if (token.startsWith("*")) return ".*";
    if (token === "?") return ".";
    if (token.length > 2 && token.startsWith("[")) return token.replace(/^\[!/, "[^").replaceAll("\\", "\\\\");
    return `\\${token}`;
  });
  const expression = compile(part, source);
  return (name) => (visible(name) || part.startsWith(".")) && expression.test(name);
}

function compile(part: string, source: string): RegExp {
  try {
    return new RegExp(`^${source}$`, "u");
  } catch (cause) {
    throw new InputError(`${part}: expected a pattern of *, ? and [abc], got one that cannot be read.`, { cause });
  }
}
