/** @file What every store of a gateway's jobs must do, whether it lives in the gateway or on a Redis server. */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { OptionError } from "../../src/core/errors.ts";
import { type OpenRedis, openRedis } from "../../src/node/redis.ts";
import { writeWhole } from "../../src/node/write-whole.ts";
import type { Job, JobContext, JobEvent, JobHost, JobRequest, JobStore, JobView } from "../../src/server/jobs/job.ts";
import { createMemoryJobs } from "../../src/server/jobs/memory-jobs.ts";
import { createSharedJobs } from "../../src/server/jobs/shared-jobs.ts";
import { hasRedis, type RedisServer, startRedis } from "../support/redis-server.ts";

/** What the work of these tests is told to do. */
interface Body {
  /** Rows, each with a file of so many bytes. */
  readonly rows?: number;
  readonly bytes?: number;
  /** Goes on until it is told to end. */
  readonly waits?: boolean;
  readonly fails?: string;
}

/** A gateway's side: what it works on, and how it is told to end. */
interface Side {
  readonly begun: { readonly body: Body; readonly context: JobContext }[];
  readonly host: JobHost;
  /** Ends what waits here. */
  finish(): void;
}

let server: RedisServer;
let names = 0;
const opened: { readonly store: JobStore; readonly redis: OpenRedis | undefined }[] = [];
beforeAll(async () => {
  if (hasRedis) server = await startRedis();
});
afterEach(async () => {
  for (const { store, redis } of opened.splice(0)) {
    await store.close(Promise.resolve());
    redis?.close();
  }
});
afterAll(async () => {
  if (hasRedis) await server.kill();
});

function side(most = 10): Side {
  const begun: Side["begun"] = [];
  let finish = (): void => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  return {
    begun,
    finish,
    host: {
      most: () => most,
      failed: () => undefined,
      work({ body }) {
        if (typeof body !== "object" || body === null) throw new OptionError("body: expected an object.");
        const { rows = 0, bytes = 3, waits = false, fails } = body as Body;
        return async (context) => {
          begun.push({ body: body as Body, context });
          await writeFile(join(context.folder, "scratch.txt"), "not a result");
          for (let i = 0; i < rows; i++) {
            await writeWhole(join(context.files, `images/${i}.txt`), "x".repeat(bytes));
            context.image({ name: `${i}` }, [`images/${i}.txt`]);
            context.progress({ phase: "test", done: i + 1, total: rows });
          }
          await writeWhole(join(context.files, "index.html"), "<p>größe</p>");
          if (fails !== undefined) throw new OptionError(fails);
          if (waits) await Promise.race([finished, abortOf(context.signal)]);
          return { rows, said: "größe" };
        };
      },
    },
  };
}

function abortOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}

async function shared(own: Side, name = `jobs-${names++}`, settings: object = {}): Promise<JobStore> {
  const redis = await openRedis(server.url);
  const hurry = { bytes: 1000, lockDuration: 1000, poll: 20, patience: 2000 };
  const store = await createSharedJobs(redis, own.host, { ...hurry, name, ...settings });
  opened.push({ store, redis });
  return store;
}

const kinds = [
  {
    kind: "in memory",
    async create(own: Side) {
      const store = createMemoryJobs(own.host);
      opened.push({ store, redis: undefined });
      return store;
    },
  },
  ...(hasRedis ? [{ kind: "on Redis", create: (own: Side) => shared(own) }] : []),
];

const asked = (body: unknown, owner?: string): JobRequest => ({ kind: "purify", owner, body });
const noSignal = new AbortController().signal;

async function eventsOf(store: JobStore, { id }: JobView, owner?: string): Promise<JobEvent[]> {
  return await allEvents(await store.get(id, owner));
}

async function allEvents(job: Job): Promise<JobEvent[]> {
  const events: JobEvent[] = [];
  for await (const event of job.events(noSignal)) events.push(event);
  return events;
}

async function ended(store: JobStore, { id }: JobView): Promise<JobView> {
  return await lastState(await store.get(id, undefined));
}

async function lastState(job: Job): Promise<JobView> {
  return (await allEvents(job)).filter(({ event }) => event === "job").at(-1)?.data as JobView;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function textOf(store: JobStore, { id }: JobView, path: string): Promise<string | undefined> {
  const found = await (await store.get(id, undefined)).open(path);
  if (found === undefined) return undefined;
  const pieces: Buffer[] = [];
  for await (const piece of found) pieces.push(Buffer.from(piece as Uint8Array));
  return Buffer.concat(pieces).toString();
}

describe.each(kinds)("jobs $kind", ({ create }) => {
  test("tell rows once their files are there, then the result with all files, early and late", async () => {
    const store = await create(side());
    const view = await store.start(asked({ rows: 3 }));
    expect(view).toMatchObject({ kind: "purify", state: "waiting", error: null });
    const seen: unknown[] = [];
    const states: string[] = [];
    for await (const { event, data } of (await store.get(view.id, undefined)).events(noSignal)) {
      if (event === "job") states.push((data as JobView).state);
      if (event !== "image") continue;
      const { name } = data as { name: string };
      seen.push([name, await textOf(store, view, `images/${name}.txt`)]);
    }
    expect(seen).toEqual(["0", "1", "2"].map((name) => [name, "xxx"]));
    expect(states.at(-1)).toBe("done");
    const job = await store.get(view.id, undefined);
    expect(await job.result()).toEqual({ rows: 3, said: "größe" });
    expect(await job.files()).toEqual([
      ...["0", "1", "2"].map((name) => ({ path: `images/${name}.txt`, bytes: 3 })),
      { path: "index.html", bytes: 14 },
    ]);
    expect(await textOf(store, view, "index.html")).toBe("<p>größe</p>");
    for (const path of ["scratch.txt", "../scratch.txt", "images", "", "images/../../scratch.txt", "\0"]) {
      expect(await textOf(store, view, path), path).toBeUndefined();
    }
    const late = await eventsOf(store, view);
    expect(late[0]).toMatchObject({ event: "job", data: { state: "done" } });
    expect(late.filter(({ event }) => event === "image").map(({ data }) => data)).toEqual(
      ["0", "1", "2"].map((name) => ({ name })),
    );
  });

  test("run one at a time, newest first in the list, each for the key that asked", async () => {
    const own = side();
    const store = await create(own);
    const first = await store.start(asked({ waits: true }, "a"));
    const second = await store.start(asked({ rows: 1 }, "a"));
    const other = await store.start(asked({}, "b"));
    await until(async () => (await store.get(first.id, "a")).view.state === "running");
    expect(own.begun).toHaveLength(1);
    expect((await store.get(second.id, "a")).view.state).toBe("waiting");
    expect(await (await store.get(first.id, "a")).result()).toBeUndefined();
    expect((await store.list("a")).map(({ id }) => id).sort()).toEqual([first.id, second.id].sort());
    expect((await store.list("b")).map(({ id }) => id)).toEqual([other.id]);
    expect(await store.list(undefined)).toEqual([]);
    await expect(store.get(first.id, "b")).rejects.toMatchObject({ code: "unknown" });
    await expect(store.remove(first.id, undefined)).rejects.toMatchObject({ code: "unknown" });
    await expect(store.get("meta", undefined)).rejects.toMatchObject({ code: "unknown" });
    own.finish();
    await eventsOf(store, other, "b");
    expect(own.begun.map(({ body }) => body)).toEqual([{ waits: true }, { rows: 1 }, {}]);
    expect((await store.list("a")).map(({ state }) => state)).toEqual(["done", "done"]);
  });

  test("refuse a wrong request at once, tell a failure in its words, and take no more than may wait", async () => {
    const own = side(2);
    const store = await create(own);
    await expect(store.start(asked("no object"))).rejects.toThrow("body: expected an object.");
    expect(await store.list(undefined)).toEqual([]);
    const failing = await store.start(asked({ rows: 1, fails: "t: expected at most 3, got 4." }));
    expect(await ended(store, failing)).toMatchObject({
      state: "failed",
      error: { error: "t: expected at most 3, got 4.", code: "option" },
    });
    expect(await (await store.get(failing.id, undefined)).result()).toBeUndefined();
    await store.start(asked({ waits: true }));
    const last = await store.start(asked({}));
    await expect(store.start(asked({}))).rejects.toMatchObject({
      code: "busy",
      message: "jobs: expected fewer than 2 that wait or run, got 2.",
    });
    own.finish();
    expect(await ended(store, last)).toMatchObject({ state: "done" });
  });

  test("are cancelled while they wait and while they run, and forgotten with their files", async () => {
    const own = side();
    const store = await create(own);
    const running = await store.start(asked({ waits: true, rows: 1 }));
    const waiting = await store.start(asked({}));
    const next = await store.start(asked({}));
    await until(() => own.begun.length === 1);
    const watched = [ended(store, running), ended(store, waiting)];
    await until(async () => (await store.get(running.id, undefined)).view.state === "running");
    for (const { id } of [waiting, running]) await store.remove(id, undefined);
    for (const view of await Promise.all(watched)) expect(view).toMatchObject({ state: "cancelled", error: null });
    expect(await ended(store, next)).toMatchObject({ state: "done" });
    expect(own.begun).toHaveLength(2);
    const [{ context } = { context: undefined }] = own.begun;
    await until(() => !existsSync(context?.folder ?? ""));
    await expect(store.get(running.id, undefined)).rejects.toMatchObject({ code: "unknown" });
    expect((await store.list(undefined)).map(({ id }) => id)).toEqual([next.id]);
    await store.remove(next.id, undefined);
    expect(await store.list(undefined)).toEqual([]);
  });

  test("what runs is finished at the end, unless time is over", async () => {
    for (const patient of [true, false]) {
      const own = side();
      const store = await create(own);
      await store.start(asked({ waits: true }));
      await until(() => own.begun.length === 1);
      const closed = store.close(patient ? new Promise(() => undefined) : Promise.resolve());
      if (patient) setTimeout(() => own.finish(), 100);
      await closed;
      expect(own.begun[0]?.context.signal.aborted).toBe(!patient || opened.at(-1)?.redis === undefined);
    }
  });
});

const title = `jobs of several gateways${hasRedis ? "" : " (needs redis-server)"}`;
describe.skipIf(!hasRedis)(title, () => {
  test("are taken by whoever is free, and asked from anybody", async () => {
    const name = `jobs-${names++}`;
    const sides = [side(), side()];
    const [here, there] = [await shared(sides[0]!, name), await shared(sides[1]!, name)];
    const views = [
      await here.start(asked({ waits: true, rows: 1 })),
      await here.start(asked({ waits: true, rows: 2 })),
    ];
    await until(() => sides.every(({ begun }) => begun.length === 1));
    for (const store of [here, there]) expect(await store.list(undefined)).toHaveLength(2);
    for (const { finish } of sides) finish();
    for (const [i, view] of views.entries()) {
      for (const store of [here, there]) {
        expect(await ended(store, view)).toMatchObject({ state: "done" });
        const job = await store.get(view.id, undefined);
        expect(await job.result()).toMatchObject({ rows: i + 1 });
        expect(await textOf(store, view, "images/0.txt")).toBe("xxx");
      }
    }
  });

  test("are cancelled from anywhere", async () => {
    const name = `jobs-${names++}`;
    const working = side();
    const here = await shared(working, name);
    const view = await here.start(asked({ waits: true }));
    await until(() => working.begun.length === 1);
    const there = await shared(side(), name);
    const watching = ended(here, view);
    await there.remove(view.id, undefined);
    expect(await watching).toMatchObject({ state: "cancelled" });
    await until(() => working.begun[0]?.context.signal.aborted === true);
    await until(() => !existsSync(working.begun[0]?.context.folder ?? ""));
  });

  test("are taken again when a gateway is gone without a word; rows are told once", async () => {
    const name = `jobs-${names++}`;
    const [dying, living] = [side(), side()];
    const lost = await shared(dying, name);
    const { redis } = opened.at(-1)!;
    const view = await lost.start(asked({ waits: true, rows: 2 }));
    await until(() => dying.begun.length === 1);
    const there = await shared(living, name);
    const watching = eventsOf(there, view);
    // Cut off without a goodbye: nothing renews the lock.
    redis?.close();
    await until(() => living.begun.length === 1);
    living.finish();
    const events = await watching;
    expect(events.at(-1)).toMatchObject({ event: "job", data: { state: "done" } });
    expect(events.filter(({ event }) => event === "image").map(({ data }) => data)).toEqual([
      { name: "0" },
      { name: "1" },
    ]);
    expect(await (await there.get(view.id, undefined)).files()).toHaveLength(3);
  });

  test("a gateway that was taken for lost lets go, and changes nothing", async () => {
    const name = `jobs-${names++}`;
    const [slow, quick] = [side(), side()];
    const held = await shared(slow, name);
    const view = await held.start(asked({ waits: true, rows: 2 }));
    await until(() => slow.begun.length === 1);
    // The lock is gone, as after a long silence.
    await opened.at(-1)!.redis!.client.del(`untrigger:${name}:${view.id}:lock`);
    const there = await shared(quick, name);
    await until(() => slow.begun[0]?.context.signal.aborted === true);
    await until(() => quick.begun.length + slow.begun.length === 2);
    slow.finish();
    quick.finish();
    expect(await ended(there, view)).toMatchObject({ state: "done" });
    expect(await (await held.get(view.id, undefined)).files()).toHaveLength(3);
  });

  test("fail in one sentence when two gateways did not end them", async () => {
    const name = `jobs-${names++}`;
    let view: JobView | undefined;
    for (const dying of [side(), side()]) {
      const store = await shared(dying, name);
      const { redis } = opened.at(-1)!;
      view ??= await store.start(asked({ waits: true }));
      await until(() => dying.begun.length === 1);
      redis?.close();
    }
    const living = side();
    const there = await shared(living, name);
    expect(await ended(there, view!)).toMatchObject({
      state: "failed",
      error: {
        error: "job: expected a gateway that ends it, got 2 that went away meanwhile. Do ask again.",
        code: "runtime-failure",
      },
    });
    expect(living.begun).toEqual([]);
  });

  test("a gateway that ends gives back what it cannot finish", async () => {
    const name = `jobs-${names++}`;
    const [leaving, staying] = [side(), side()];
    const here = await shared(leaving, name, { lockDuration: 60_000 });
    const view = await here.start(asked({ waits: true }));
    await until(() => leaving.begun.length === 1);
    const there = await shared(staying, name, { lockDuration: 60_000 });
    const watching = ended(there, view);
    await here.close(Promise.resolve());
    await until(() => staying.begun.length === 1);
    staying.finish();
    expect(await watching).toMatchObject({ state: "done" });
  });

  test("have so many bytes and no more", async () => {
    const store = await shared(side());
    const view = await store.start(asked({ rows: 4, bytes: 300 }));
    expect(await ended(store, view)).toMatchObject({
      state: "failed",
      error: {
        error: expect.stringMatching(/^job: expected at most 1000 bytes of files and result/),
        code: "too-large",
      },
    });
    expect(await ended(store, await store.start(asked({ rows: 3, bytes: 300 })))).toMatchObject({ state: "done" });
  });

  test("a server that is away is told within its time, and what runs goes on when it is back", async () => {
    const own = side();
    const store = await shared(own, undefined, { lockDuration: 20_000 });
    const view = await store.start(asked({ waits: true, rows: 1 }));
    await until(() => own.begun.length === 1);
    const watching = lastState(await store.get(view.id, undefined));
    server.freeze();
    const before = performance.now();
    const questions = [store.list(undefined), store.get(view.id, undefined), store.start(asked({}))];
    const answers = await Promise.allSettled(questions);
    server.thaw();
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: "rejected", reason: { code: "away", status: 503, retryAfter: 5 } });
    }
    expect(performance.now() - before).toBeLessThan(10_000);
    own.finish();
    expect(await watching).toMatchObject({ state: "done" });
    expect(await (await store.get(view.id, undefined)).result()).toMatchObject({ rows: 1 });
    expect((await store.list(undefined)).map(({ id }) => id)).toEqual([view.id]);
  });

  test("a server that is away does not hold up the end of a gateway", async () => {
    const own = side();
    const store = await shared(own);
    await store.start(asked({ waits: true }));
    await until(() => own.begun.length === 1);
    const idle = await shared(side());
    server.freeze();
    const before = performance.now();
    await Promise.all([store.close(Promise.resolve()), idle.close(new Promise(() => undefined))]);
    expect(performance.now() - before).toBeLessThan(10_000);
    server.thaw();
    expect(own.begun[0]?.context.signal.aborted).toBe(true);
  });

  test("a server that comes back empty has lost its jobs, and takes new ones", async () => {
    const own = side();
    const store = await shared(own);
    const view = await store.start(asked({ waits: true }));
    await until(() => own.begun.length === 1);
    const watching = lastState(await store.get(view.id, undefined));
    await server.kill();
    await expect(store.list(undefined)).rejects.toMatchObject({ code: "away" });
    await server.start();
    expect(await watching).toMatchObject({
      state: "failed",
      error: { error: expect.stringContaining("lost its memory") },
    });
    await until(() => own.begun[0]?.context.signal.aborted === true);
    let again: JobView | undefined;
    await until(async () => {
      again = await store.start(asked({ rows: 1 })).catch(() => undefined);
      return again !== undefined;
    });
    expect(await ended(store, again!)).toMatchObject({ state: "done" });
  });
});
