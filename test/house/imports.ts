/** @file Reads the import graph of `src/` from its text: who imports whom, and which packages. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

/** One source file with what it imports. */
export interface SourceFile {
  /** Path below `src/`, with slashes. */
  readonly path: string;
  /** Files below `src/` that it imports, types included. */
  readonly imports: readonly string[];
  /** Files below `src/` that are loaded with it: everything but `import type`. */
  readonly loads: readonly string[];
  /** Bare specifiers: packages and Node's own modules. */
  readonly packages: readonly string[];
}

const statement =
  /(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?["']([^"']+)["']|import\(\s*["']([^"']+)["']\s*\)/g;

/** Every `.ts` file of `src/` but the tests. */
export function readSources(root: string): SourceFile[] {
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"))
    .sort()
    .map((path) => {
      const text = readFileSync(join(root, path), "utf8").replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
      const found = [...text.matchAll(statement)].map((match) => ({
        typeOnly: match[1] !== undefined,
        specifier: match[2] ?? match[3] ?? "",
      }));
      const local = found.filter(({ specifier }) => specifier.startsWith("."));
      const resolved = (specifier: string): string =>
        relative(root, resolve(root, dirname(path), specifier)).replaceAll("\\", "/");
      return {
        path,
        imports: local.map(({ specifier }) => resolved(specifier)),
        loads: local.filter(({ typeOnly }) => !typeOnly).map(({ specifier }) => resolved(specifier)),
        packages: found.map(({ specifier }) => specifier).filter((specifier) => !specifier.startsWith(".")),
      };
    });
}

/** All files that are loaded when `entry` is, itself included. */
export function loadedWith(entry: string, files: readonly SourceFile[]): ReadonlySet<string> {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const seen = new Set<string>();
  const waiting = [entry];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    waiting.push(...(byPath.get(path)?.loads ?? []));
  }
  return seen;
}
