/** @file The page: the files of a built folder, read once, so that no request can lead outside of it. */
import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join, sep } from "node:path";
import type { FastifyInstance } from "fastify";

/** What a file is, by its ending; others are not served. */
const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".webp": "image/webp",
  ".ico": "image/x-icon",
  ".wasm": "application/wasm",
  ".onnx": "application/octet-stream",
  ".safetensors": "application/octet-stream",
  ".bin": "application/octet-stream",
  ".txt": "text/plain; charset=utf-8",
};

/** Threads of WebAssembly need an isolated page; nothing but its own files is loaded into it. */
const headers = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
  "x-content-type-options": "nosniff",
};

/** One file. */
export interface PageFile {
  /** As in an address, from `/`. */
  readonly path: string;
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** The files of a folder; none where there is no such folder. */
export async function readPage(folder: string): Promise<PageFile[]> {
  if (!(await stat(folder).catch(() => undefined))?.isDirectory()) return [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && types[extname(entry.name)] !== undefined);
  return await Promise.all(
    files.map(async ({ parentPath, name }) => {
      const file = join(parentPath, name);
      const path = `/${file.slice(folder.length).split(sep).filter(Boolean).join("/")}`;
      return { path, type: types[extname(name)] ?? "", bytes: await readFile(file) };
    }),
  );
}

/** Adds an address a file, and `/` for `index.html`. */
export function pageRoutes(app: FastifyInstance, files: readonly PageFile[]): void {
  for (const { path, type, bytes } of files) {
    // Names with a hash in them never change what they hold.
    const cache = /[-.][\w-]{8,}\.\w+$/.test(path) ? "public, max-age=31536000, immutable" : "no-cache";
    for (const address of path === "/index.html" ? ["/", path] : [path]) {
      app.get(address, { config: { open: true } }, async (_request, reply) =>
        reply.headers({ ...headers, "content-type": type, "cache-control": cache }).send(bytes),
      );
    }
  }
}
