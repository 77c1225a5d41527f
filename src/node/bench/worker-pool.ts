/** @file The workers of a bench on this machine: processes that are started when there is work, and again when they die. */
import { type ChildProcess, fork } from "node:child_process";
import { RuntimeFailure, type ToolkitError } from "../../core/errors.ts";
import type { BenchJob, JobResult } from "../../jobs/bench/job.ts";
import { WorkerLost } from "../../jobs/bench/work-list.ts";
import type { Device } from "../../runtime/runtime.ts";
import type { ModelPlaces } from "./bench-worker.ts";
import { UnfitMachine } from "./job-assets.ts";
import type { FromWorker, ToWorker } from "./worker-messages.ts";

/** How workers are started. */
export interface WorkerPoolSettings {
  /** Program and arguments that become a worker: this program's own, with what makes it one. */
  readonly command: readonly [script: string, ...args: string[]];
  readonly device: Device;
  readonly threads: number;
  readonly places: ModelPlaces;
  readonly signal?: AbortSignal | undefined;
  /** A worker has begun, is so far, or has died. */
  onEvent?(event: WorkerEvent): void;
}

/** What workers do, for whoever watches. */
export type WorkerEvent =
  | { readonly type: "begin"; readonly job: BenchJob; readonly worker: number }
  | { readonly type: "progress"; readonly job: BenchJob; readonly share: number }
  | { readonly type: "end"; readonly job: BenchJob }
  | { readonly type: "lost"; readonly job: BenchJob; readonly why: string };

/** Workers of this machine. */
export interface WorkerPool {
  /**
   * Does a job in a worker that is idle, or in a new one.
   * @throws WorkerLost when it dies; UnfitMachine when this machine must not do the job; RuntimeFailure when workers do
   * not even start.
   */
  run(job: BenchJob): Promise<JobResult>;
  /** Ends all workers, whatever they do. */
  close(): Promise<void>;
}

/** Starts in a row that may fail before it is hopeless. */
const MOST_FALSE_STARTS = 3;
/** Characters of a worker's last words. */
const LAST_WORDS = 400;

/** A pool without workers yet. */
export function workerPool(settings: WorkerPoolSettings): WorkerPool {
  const idle: Worker[] = [];
  const all = new Set<Worker>();
  let falseStarts = 0;
  let closed = false;
  const take = async (): Promise<Worker> => {
    const free = idle.pop();
    if (free !== undefined) return free;
    const worker = startWorker(settings);
    all.add(worker);
    void worker.ended.then(() => {
      all.delete(worker);
      const place = idle.indexOf(worker);
      if (place >= 0) idle.splice(place, 1);
    });
    try {
      await worker.ready;
      falseStarts = 0;
      return worker;
    } catch (error) {
      await worker.end();
      if (!(error instanceof WorkerLost)) throw error;
      falseStarts += 1;
      if (falseStarts < MOST_FALSE_STARTS) return take();
      throw new RuntimeFailure(`bench: expected workers that start, got ${falseStarts} that did not; ${error.message}`);
    }
  };
  return {
    async run(job) {
      if (closed) throw new WorkerLost("the bench has ended.");
      const worker = await take();
      settings.onEvent?.({ type: "begin", job, worker: worker.pid });
      try {
        const result = await worker.run(job, (share) => settings.onEvent?.({ type: "progress", job, share }));
        idle.push(worker);
        settings.onEvent?.({ type: "end", job });
        return result;
      } catch (error) {
        if (error instanceof WorkerLost) settings.onEvent?.({ type: "lost", job, why: error.message });
        throw error;
      }
    },
    async close() {
      closed = true;
      await Promise.all([...all].map((worker) => worker.end()));
    },
  };
}

/** One process. */
interface Worker {
  readonly pid: number;
  readonly ready: Promise<unknown>;
  readonly ended: Promise<void>;
  run(job: BenchJob, progress: (share: number) => void): Promise<JobResult>;
  end(): Promise<void>;
}

/** What a worker has been asked, and not answered yet. */
interface Question {
  hear(message: FromWorker): void;
  fail(error: ToolkitError): void;
}

function startWorker({ command: [script, ...args], device, threads, places }: WorkerPoolSettings): Worker {
  const child = fork(script, args, { serialization: "advanced", stdio: ["ignore", "ignore", "pipe", "ipc"] });
  // One at a time; what ends the process answers it, too.
  let question: Question | undefined;
  let end: WorkerLost | undefined;
  const settle = (): Question | undefined => {
    const settled = question;
    question = undefined;
    return settled;
  };
  const ask = <T>(message: ToWorker, pick: (answer: FromWorker) => T | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      if (end !== undefined) return reject(end);
      question = {
        hear(answer) {
          if (answer.type === "refused") settle()?.fail(new UnfitMachine(answer.message));
          const picked = pick(answer);
          if (picked === undefined) return;
          settle();
          resolve(picked);
        },
        fail: reject,
      };
      // A worker that is gone is heard of by its end.
      child.send(message, () => undefined);
    });
  const ended = lastWords(child).then((why) => {
    end = new WorkerLost(why);
    settle()?.fail(end);
  });
  child.on("message", (message) => question?.hear(message as FromWorker));
  return {
    pid: child.pid ?? 0,
    ended,
    ready: ask({ type: "open", device, threads, places }, ({ type }) => (type === "ready" ? true : undefined)),
    run: (job, progress) =>
      ask({ type: "run", job }, (answer) => {
        if (answer.type === "progress") progress(answer.share);
        return answer.type === "result" ? answer.result : undefined;
      }),
    async end() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Why a process has ended, once it has. */
function lastWords(child: ChildProcess): Promise<string> {
  let words = "";
  child.stderr?.setEncoding("utf8").on("data", (piece: string) => {
    words = (words + piece).slice(-LAST_WORDS);
  });
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(`it could not be started: ${error.message}.`));
    // Not "exit": its last words may still be on their way.
    child.once("close", (code, signal) => {
      const last = words.trim().replaceAll(/\s+/g, " ");
      const said = last === "" ? "" : ` and said: ${last}`;
      resolve(`the last one ended by ${signal ?? `exit code ${code}`}${said}.`);
    });
  });
}
