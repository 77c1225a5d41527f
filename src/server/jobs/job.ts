/** @file Long work that clients start, watch and fetch: how they see it, what it is lent, and what keeps it. */
import { randomUUID } from "node:crypto";
import type { Readable } from "node:stream";
import { Refusal, toldOf } from "../refusal.ts";
import type { JobFile } from "./job-files.ts";

/** Kinds of work. */
export const jobKinds = ["purify", "scan", "audit", "bench"] as const;

/** One of {@link jobKinds}. */
export type JobKind = (typeof jobKinds)[number];

/** How far a job is. */
export interface JobProgress {
  readonly phase: string;
  readonly done: number;
  readonly total: number | null;
}

/** Why a job failed: one sentence, and a code of `docs/errors.md` or of a refusal. */
export interface JobError {
  readonly error: string;
  readonly code: string;
}

/** A job as clients see it. */
export interface JobView {
  readonly id: string;
  readonly kind: JobKind;
  readonly state: "waiting" | "running" | "done" | "failed" | "cancelled";
  readonly progress: JobProgress | null;
  readonly error: JobError | null;
  /** ISO time. */
  readonly created: string;
  readonly links: { readonly self: string; readonly events: string; readonly result: string; readonly files: string };
}

/** Something that readers of a job are told. */
export interface JobEvent {
  readonly event: "job" | "progress" | "image";
  readonly data: unknown;
}

/** What is asked for. */
export interface JobRequest {
  readonly kind: JobKind;
  /** Name of the key that asked. */
  readonly owner: string | undefined;
  /** Plain JSON, as it came. */
  readonly body: unknown;
}

/** What work is lent. */
export interface JobContext {
  /** A folder of its own, removed with the job. */
  readonly folder: string;
  /** Where files of the result go, below `folder`. */
  readonly files: string;
  readonly signal: AbortSignal;
  progress(progress: JobProgress): void;
  /** Tells of one item of the result. @param files its own, below `files`; they are there already. */
  image(row: object, files: readonly string[]): void;
}

/** Work: its result is plain JSON. */
export type JobWork = (context: JobContext) => Promise<object>;

/** A job with what belongs to it. */
export interface Job {
  readonly view: JobView;
  /** Undefined before its end. */
  result(): Promise<object | undefined>;
  /** Those of the result, by path, as far as they are there. */
  files(): Promise<readonly JobFile[]>;
  /** Undefined where there is no such file. */
  open(path: string): Promise<Readable | undefined>;
  /** What has happened so far, and then what happens; ends after the last change of state, or with the store. */
  events(signal: AbortSignal): AsyncGenerator<JobEvent>;
}

/** The jobs of a gateway, or of several. */
export interface JobStore {
  /** @throws Refusal `busy` when as many wait or run as may, and what {@link JobHost.work} throws. */
  start(request: JobRequest): Promise<JobView>;
  /** Newest first. */
  list(owner: string | undefined): Promise<readonly JobView[]>;
  /** @throws Refusal `unknown`. */
  get(id: string, owner: string | undefined): Promise<Job>;
  /** Cancels and forgets. @throws Refusal `unknown`. */
  remove(id: string, owner: string | undefined): Promise<void>;
  /** Takes nothing more and waits for what it has taken; when it is over before, nothing is waited for. */
  close(over: Promise<void>): Promise<void>;
}

/** What a store is lent. */
export interface JobHost {
  /** Jobs that may wait or run. */
  most(): number;
  /** The work that a request asks for. @throws at once when the request is wrong. */
  work(request: JobRequest): JobWork;
  /** Is told of errors that nobody expected. */
  failed(error: unknown): void;
}

/** Milliseconds that an ended job is kept, and how many are. */
export const KEEP_MS = 3_600_000;
/** See {@link KEEP_MS}. */
export const MOST_KEPT = 100;
/** Milliseconds between two events of progress. */
export const PROGRESS_MS = 100;

/** A job that waits. */
export function waitingJob(kind: JobKind, id: string = randomUUID(), created = new Date().toISOString()): JobView {
  const self = `/api/jobs/${id}`;
  const links = { self, events: `${self}/events`, result: `${self}/result`, files: `${self}/files` };
  return { id, kind, state: "waiting", progress: null, error: null, created, links };
}

/** Whether a job has ended. */
export function isOver({ state }: JobView): boolean {
  return state === "done" || state === "failed" || state === "cancelled";
}

/** What clients are told about the error that ended a job. */
export function jobError(error: unknown, { failed }: Pick<JobHost, "failed">): JobError {
  const { sentence, code } = toldOf(error);
  if (code === "runtime-failure") failed(error);
  return { error: sentence, code };
}

/** What is said about a job that is not there, or is somebody else's. */
export function unknownJob(id: string): Refusal {
  return new Refusal("unknown", `job "${id.slice(0, 40)}": expected one that is kept here, got none such.`);
}

/** What is said when as many wait or run as may. */
export function tooManyJobs(most: number, count: number): Refusal {
  return new Refusal("busy", `jobs: expected fewer than ${most} that wait or run, got ${count}.`, { retryAfter: 10 });
}
