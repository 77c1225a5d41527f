/** @file Jobs of one gateway: in memory, their files in temporary folders. They go with the process. */
import { createReadStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  isOver,
  type Job,
  type JobEvent,
  type JobHost,
  type JobStore,
  type JobView,
  type JobWork,
  jobError,
  KEEP_MS,
  MOST_KEPT,
  PROGRESS_MS,
  tooManyJobs,
  unknownJob,
  waitingJob,
} from "./job.ts";
import { findJobFile, listJobFiles } from "./job-files.ts";

interface Entry {
  view: JobView;
  readonly owner: string | undefined;
  folder: string | undefined;
  result: object | undefined;
  readonly controller: AbortController;
  readonly images: JobEvent[];
  readonly readers: Set<(event: JobEvent | undefined) => void>;
  ended: Promise<void>;
  expiry: NodeJS.Timeout | undefined;
}

/** Files of the result, below a job's folder. */
const FILES = "files";

/** Makes a store. */
export function createMemoryJobs(host: JobHost): JobStore {
  const jobs = new Map<string, Entry>();
  let last: Promise<void> = Promise.resolve();

  function tell(entry: Entry, event: JobEvent): void {
    for (const reader of entry.readers) reader(event);
  }

  function change(entry: Entry, change: Partial<JobView>): void {
    entry.view = { ...entry.view, ...change };
    tell(entry, { event: "job", data: entry.view });
    if (isOver(entry.view)) for (const reader of entry.readers) reader(undefined);
  }

  async function run(entry: Entry, work: JobWork): Promise<void> {
    const { controller } = entry;
    const { signal } = controller;
    let shown = Number.NEGATIVE_INFINITY;
    // Cancelled before its turn came.
    if (isOver(entry.view)) return;
    try {
      const folder = await mkdtemp(join(tmpdir(), "untrigger-job-"));
      entry.folder = folder;
      change(entry, { state: "running" });
      entry.result = await work({
        folder,
        files: join(folder, FILES),
        signal,
        progress(progress) {
          entry.view = { ...entry.view, progress };
          const now = performance.now();
          if (now - shown < PROGRESS_MS) return;
          shown = now;
          tell(entry, { event: "progress", data: progress });
        },
        image(row) {
          const event: JobEvent = { event: "image", data: row };
          entry.images.push(event);
          tell(entry, event);
        },
      });
      signal.throwIfAborted();
      change(entry, { state: "done" });
    } catch (error) {
      if (signal.aborted) change(entry, { state: "cancelled" });
      else change(entry, { state: "failed", error: jobError(error, host) });
    }
  }

  async function forget(entry: Entry): Promise<void> {
    jobs.delete(entry.view.id);
    clearTimeout(entry.expiry);
    entry.controller.abort();
    if (entry.view.state === "waiting") change(entry, { state: "cancelled" });
    else await entry.ended;
    if (entry.folder !== undefined) await rm(entry.folder, { recursive: true, force: true });
  }

  function find(id: string, owner: string | undefined): Entry {
    const entry = jobs.get(id);
    if (entry === undefined || entry.owner !== owner) throw unknownJob(id);
    return entry;
  }

  return {
    async start(request) {
      const work = host.work(request);
      const count = [...jobs.values()].filter(({ view }) => !isOver(view)).length;
      if (count >= host.most()) throw tooManyJobs(host.most(), count);
      const entry: Entry = {
        view: waitingJob(request.kind),
        owner: request.owner,
        folder: undefined,
        result: undefined,
        controller: new AbortController(),
        images: [],
        readers: new Set(),
        ended: Promise.resolve(),
        expiry: undefined,
      };
      const { view } = entry;
      jobs.set(view.id, entry);
      // One at a time: each uses all cores.
      last = last.then(() => run(entry, work));
      entry.ended = last.then(() => {
        entry.expiry = setTimeout(() => void forget(entry), KEEP_MS);
        entry.expiry.unref();
        const over = [...jobs.values()].filter((one) => isOver(one.view));
        const [oldest] = over;
        // Not awaited: it waits for this very promise.
        if (over.length > MOST_KEPT && oldest !== undefined && oldest !== entry) void forget(oldest);
      });
      return view;
    },
    list: async (owner) => [...jobs.values()].flatMap((entry) => (entry.owner === owner ? [entry.view] : [])).reverse(),
    async get(id, owner): Promise<Job> {
      const entry = find(id, owner);
      const files = entry.folder === undefined ? undefined : join(entry.folder, FILES);
      return {
        view: entry.view,
        result: async () => (entry.view.state === "done" ? entry.result : undefined),
        files: async () => (files === undefined ? [] : await listJobFiles(files)),
        async open(path) {
          const file = files === undefined ? undefined : await findJobFile(files, path);
          return file === undefined ? undefined : createReadStream(file);
        },
        events: (signal) => eventsOf(entry, signal),
      };
    },
    async remove(id, owner) {
      await forget(find(id, owner));
    },
    async close(over) {
      await Promise.race([last, over]);
      await Promise.all([...jobs.values()].map(forget));
    },
  };
}

async function* eventsOf(entry: Entry, signal: AbortSignal): AsyncGenerator<JobEvent> {
  const waiting: (JobEvent | undefined)[] = [{ event: "job", data: entry.view }, ...entry.images];
  if (isOver(entry.view)) waiting.push(undefined);
  let wake = (): void => undefined;
  const reader = (event: JobEvent | undefined): void => {
    waiting.push(event);
    wake();
  };
  const leave = (): void => wake();
  entry.readers.add(reader);
  signal.addEventListener("abort", leave);
  try {
    while (!signal.aborted) {
      if (waiting.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      const event = waiting.shift();
      if (event === undefined) return;
      yield event;
    }
  } finally {
    entry.readers.delete(reader);
    signal.removeEventListener("abort", leave);
  }
}
