/**
 * @file What a Redis server keeps of a job beside the queue: its request, rows, files and result, each with an end. What
 * a run writes is its own: one that was taken for lost and goes on meddles with nobody.
 */
import type { Redis } from "ioredis";
import { KEEP_MS } from "./job.ts";
import type { JobFile } from "./job-files.ts";

/** The part of one run. */
export interface RunShelf {
  addFile(path: string, bytes: Uint8Array): Promise<void>;
  files(): Promise<readonly JobFile[]>;
  file(path: string): Promise<Uint8Array | undefined>;
  addRow(row: object): Promise<void>;
  /** The rows from one on. */
  rows(from: number): Promise<readonly unknown[]>;
  setResult(text: string): Promise<void>;
  result(): Promise<string | undefined>;
  /** The run is over: it is kept a little longer than its job. */
  end(): Promise<void>;
  clear(): Promise<void>;
}

/** What is kept of all jobs. */
export interface JobShelf {
  setBody(id: string, text: string): Promise<void>;
  body(id: string): Promise<string | undefined>;
  /** Says to everybody that a job is not wanted any more. */
  cancel(id: string): Promise<void>;
  isCancelled(id: string): Promise<boolean>;
  /** @param number of the run, from 1. */
  run(id: string, number: number): RunShelf;
  /** @param runs how many there were. */
  clear(id: string, runs: number): Promise<void>;
}

/** Milliseconds that parts of a job are kept while it waits or runs: longer than any does. */
const LONG_MS = 7 * 24 * 3_600_000;

/** @param prefix of all keys. */
export function jobShelf(client: Redis, prefix: string): JobShelf {
  const bodyKey = (id: string): string => `${prefix}:${id}:body`;
  const cancelKey = (id: string): string => `${prefix}:${id}:cancelled`;
  const runKeys = (id: string, number: number) => {
    const part = (name: string): string => `${prefix}:${id}:${number}:${name}`;
    return { files: part("files"), sizes: part("sizes"), rows: part("rows"), result: part("result") };
  };
  return {
    async setBody(id, text) {
      await client.set(bodyKey(id), text, "PX", LONG_MS);
    },
    body: async (id) => (await client.get(bodyKey(id))) ?? undefined,
    async cancel(id) {
      // Longer than the queue keeps the job.
      await client.set(cancelKey(id), "1", "PX", 2 * KEEP_MS);
    },
    isCancelled: async (id) => (await client.exists(cancelKey(id))) === 1,
    run(id, number) {
      const keys = runKeys(id, number);
      return {
        async addFile(path, bytes) {
          await client.hset(keys.files, path, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
          await client.hset(keys.sizes, path, bytes.length);
          await client.pexpire(keys.files, LONG_MS);
          await client.pexpire(keys.sizes, LONG_MS);
        },
        async files() {
          const sizes = Object.entries(await client.hgetall(keys.sizes));
          return sizes.map(([path, bytes]) => ({ path, bytes: Number(bytes) })).sort(byPath);
        },
        file: async (path) => (await client.hgetBuffer(keys.files, path)) ?? undefined,
        async addRow(row) {
          await client.rpush(keys.rows, JSON.stringify(row));
          await client.pexpire(keys.rows, LONG_MS);
        },
        rows: async (from) => (await client.lrange(keys.rows, from, -1)).map((text): unknown => JSON.parse(text)),
        async setResult(text) {
          await client.set(keys.result, text, "PX", LONG_MS);
        },
        result: async () => (await client.get(keys.result)) ?? undefined,
        async end() {
          for (const key of [bodyKey(id), ...Object.values(keys)]) await client.pexpire(key, 2 * KEEP_MS);
        },
        async clear() {
          await client.unlink(...Object.values(keys));
        },
      };
    },
    async clear(id, runs) {
      const numbers = Array.from({ length: runs }, (_, i) => i + 1);
      await client.unlink(bodyKey(id), ...numbers.flatMap((number) => Object.values(runKeys(id, number))));
    },
  };
}

function byPath(a: JobFile, b: JobFile): number {
  return a.path < b.path ? -1 : 1;
}
