/** @file What every list of jobs must do, whether it lives in this process or on a Redis server. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { BenchJob, JobResult } from "../../src/jobs/bench/job.ts";
import { createWorkList, MOST_LOSSES, WorkerLost, type WorkList } from "../../src/jobs/bench/work-list.ts";
import { type ModelStore, modelStore } from "../../src/node/bench/model-store.ts";
import { redisList } from "../../src/node/bench/redis-list.ts";
import { type OpenRedis, openRedis } from "../../src/node/redis.ts";
import { sampleCell, sampleModel, sampleResult } from "../support/bench-jobs.ts";
import { hasRedis, type RedisServer, startRedis } from "../support/redis-server.ts";

const folder = mkdtempSync(join(tmpdir(), "untrigger-list-"));
const someModel = readFileSync("models/fashion-mnist-badnets/model.onnx");
const hurry = { lockDuration: 400, poll: 20, audit: 200 } as const;
let server: RedisServer;
let lists = 0;
const opened: { readonly list: WorkList; readonly redis: OpenRedis | undefined }[] = [];

beforeAll(async () => {
  if (hasRedis) server = await startRedis();
});
afterEach(async () => {
  for (const { list, redis } of opened.splice(0)) {
    await list.close();
    redis?.close();
  }
});
afterAll(async () => {
  if (hasRedis) await server.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** A store of its own, in which the model of sample cells lies. */
async function storeWith(...names: readonly string[]): Promise<ModelStore> {
  const store = modelStore(join(folder, `store-${lists++}`));
  for (const name of names) await store.save(sampleModel(name).key, { "model.onnx": someModel });
  return store;
}

async function openList(name = `list-${lists++}`, store?: ModelStore): Promise<WorkList> {
  const redis = await openRedis(server.url);
  const list = redisList(redis, { ...hurry, name, store: store ?? (await storeWith("there")) });
  opened.push({ list, redis });
  return list;
}

const kinds = [
  { kind: "in memory", create: async () => remembered(createWorkList()) },
  ...(hasRedis ? [{ kind: "on Redis", create: () => openList() }] : []),
];

function remembered(list: WorkList): WorkList {
  opened.push({ list, redis: undefined });
  return list;
}

/** Takes results until there is one for each of so many keys. */
async function take(list: WorkList, count: number): Promise<JobResult[]> {
  const taken: JobResult[] = [];
  for await (const result of list.results()) {
    taken.push(result);
    await list.forget(result.key);
    if (taken.length === count) break;
  }
  return taken;
}

const cells = (count: number): BenchJob[] => Array.from({ length: count }, (_, i) => sampleCell(`cell ${i}`));
const keysOf = (items: readonly { readonly key: string }[]): string[] => items.map(({ key }) => key).sort();

describe.each(kinds)("a list $kind", ({ create }) => {
  test("hands every job out and tells its result once, however often it was added", async () => {
    const list = await create();
    const begun: string[] = [];
    list.serve(async (job) => {
      begun.push(job.key);
      return sampleResult(job);
    }, 3);
    const jobs = cells(20);
    await list.add(jobs);
    await list.add(jobs.slice(5, 10));
    const results = await take(list, jobs.length);
    expect(keysOf(results)).toEqual(keysOf(jobs));
    // A job that is done before it is added a second time may begin again; what counts is told once.
    expect([...new Set(begun)].sort()).toEqual(keysOf(jobs));
    const [first] = results;
    expect(first?.kind === "cell" && [...(first.sheet ?? [])]).toEqual([1, 2, 3]);
    expect(first).toMatchObject({ kind: "cell", row: { status: "done", cell: first?.key } });
  });

  test("begins cells before models, and otherwise in order", async () => {
    const list = await create();
    const jobs = [sampleModel("a"), sampleModel("b"), ...cells(3)];
    await list.add(jobs);
    const begun: string[] = [];
    list.serve(async (job) => {
      begun.push(job.key);
      return job.kind === "model" ? failure(job.key) : sampleResult(job);
    }, 1);
    await take(list, jobs.length);
    expect(begun).toEqual([...jobs.slice(2), ...jobs.slice(0, 2)].map(({ key }) => key));
  });

  test("hands a job out again whose worker was lost, and gives up what costs too many", async () => {
    const list = await create();
    const [unlucky, deadly] = cells(2);
    const begun = new Map<string, number>();
    list.serve(async (job) => {
      const times = (begun.get(job.key) ?? 0) + 1;
      begun.set(job.key, times);
      if (job.key === deadly?.key || times < MOST_LOSSES) throw new WorkerLost("it ended by SIGKILL.");
      return sampleResult(job);
    }, 2);
    await list.add([unlucky!, deadly!]);
    const results = new Map((await take(list, 2)).map((result) => [result.key, result]));
    expect(results.get(unlucky!.key)).toMatchObject({ kind: "cell", row: { status: "done" } });
    const given = results.get(deadly!.key);
    expect(given).toMatchObject({ kind: "failed", error: { code: "runtime-failure" } });
    expect(given?.kind === "failed" && given.error.message).toMatch(/3 that did not; it ended by SIGKILL\.$/);
    expect(begun.get(deadly!.key)).toBe(MOST_LOSSES);
  });

  test("ends with whatever else a worker throws", async () => {
    const list = await create();
    list.serve(() => Promise.reject(new RangeError("no such prior here")), 1);
    await list.add(cells(1));
    await expect(take(list, 1)).rejects.toThrow("no such prior here");
  });

  test("hands nothing out once it is closed, and ends its results", async () => {
    const list = await create();
    let begun = 0;
    list.serve(async (job) => {
      begun += 1;
      await new Promise((resolve) => setTimeout(resolve, 30));
      return sampleResult(job);
    }, 1);
    await list.add(cells(50));
    const taken: JobResult[] = [];
    for await (const result of list.results()) {
      taken.push(result);
      await list.close();
    }
    const until = begun;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(begun).toBe(until);
    // Where results come late, as on a busy machine, some were begun before the end was asked for.
    expect(begun).toBeLessThan(50);
    expect(taken.length).toBeLessThan(50);
    await list.close();
  });
});

function failure(key: string): JobResult {
  return { kind: "failed", key, error: { code: "option", message: "model: expected something else." } };
}

describe.skipIf(!hasRedis)("a list on Redis", () => {
  test("is shared: what one asks for another does, and models travel with it", async () => {
    const name = `list-${lists++}`;
    const store = await storeWith();
    const theirs = await storeWith();
    const model = sampleModel("trained elsewhere");
    const [asking, helping] = [await openList(name, store), await openList(name, theirs)];
    const measured: string[] = [];
    helping.serve(async (job) => {
      if (job.kind === "model")
        await theirs.save(job.key, { "model.onnx": someModel, "config.json": new TextEncoder().encode("{}") });
      else measured.push(theirs.folderOf(job.model));
      return sampleResult(job);
    }, 2);
    await asking.add([model]);
    expect(await take(asking, 1)).toEqual([{ kind: "model", key: model.key }]);
    expect(await store.has(model.key)).toBe(true);
    const cell = sampleCell("of that model", model);
    await asking.add([cell]);
    expect(keysOf(await take(asking, 1))).toEqual([cell.key]);
    expect(measured).toEqual([theirs.folderOf(model.key)]);
  });

  test("sends a model that lies with the bench to whoever measures it", async () => {
    const name = `list-${lists++}`;
    const theirs = await storeWith();
    const asking = await openList(name, await storeWith("there"));
    const helping = await openList(name, theirs);
    let found = false;
    helping.serve(async (job) => {
      found = job.kind === "cell" && (await theirs.has(job.model));
      return sampleResult(job);
    }, 1);
    await asking.add(cells(1));
    await take(asking, 1);
    expect(found).toBe(true);
  });

  test("hands out again what a machine had that is gone without a word", async () => {
    const name = `list-${lists++}`;
    const [asking, dying] = [await openList(name), await openList(name)];
    let begun = (): void => undefined;
    const hasBegun = new Promise<void>((resolve) => {
      begun = resolve;
    });
    dying.serve(() => {
      begun();
      return new Promise(() => undefined);
    }, 1);
    await asking.add(cells(1));
    await hasBegun;
    // Cut off without a goodbye: nothing renews the lock.
    opened.at(-1)?.redis?.close();
    const before = performance.now();
    asking.serve(async (job) => sampleResult(job), 1);
    expect(await take(asking, 1)).toHaveLength(1);
    expect(performance.now() - before).toBeLessThan(20_000);
  });

  test("a worker that leaves gives its job back at once", async () => {
    const name = `list-${lists++}`;
    const [asking, leaving] = [await openList(name), await openList(name)];
    const begun = new Promise<void>((resolve) => {
      leaving.serve(() => {
        resolve();
        return new Promise(() => undefined);
      }, 1);
    });
    await asking.add(cells(1));
    await begun;
    await leaving.close();
    asking.serve(async (job) => sampleResult(job), 1);
    expect(await take(asking, 1)).toHaveLength(1);
  });

  test("loses nothing and tells nothing twice while the server comes and goes, with and without its memory", async () => {
    const list = await openList();
    list.serve(async (job) => {
      await new Promise((resolve) => setTimeout(resolve, 15));
      return sampleResult(job);
    }, 2);
    const jobs = cells(60);
    await list.add(jobs);
    const taken: JobResult[] = [];
    for await (const result of list.results()) {
      taken.push(result);
      await list.forget(result.key);
      if (taken.length === 10) {
        server.freeze();
        setTimeout(() => server.thaw(), 600);
      }
      if (taken.length === 25) {
        await server.kill();
        await server.start();
      }
      if (taken.length === jobs.length) break;
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    await list.close();
    for await (const result of list.results()) taken.push(result);
    expect(keysOf(taken)).toEqual(keysOf(jobs));
  });

  test("says which server does not answer, without its password", async () => {
    await expect(openRedis("redis://:secret@127.0.0.1:1")).rejects.toThrow(
      /^redis:\/\/127\.0\.0\.1:1: expected a Redis server, got .*\.$/,
    );
    await expect(openRedis("localhost:6379")).rejects.toThrow(/^redis: expected an address such as/);
  });
});
