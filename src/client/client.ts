/** @file A typed client of the gateway's jobs. */
import type { PurifyRequest } from "../jobs/purify.ts";
import {
  evidenceLinks,
  type JobView,
  jobFiles,
  jobView,
  type PurifiedFile,
  type PurifyAnswer,
  purifyAnswer,
} from "./purify-answer.ts";
import { serverEvents } from "./server-events.ts";

/** How a gateway is reached. */
export interface ClientOptions {
  /** Sent as `Authorization: Bearer KEY`. */
  readonly key?: string | undefined;
  /** The platform's own when left out. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** What is asked for; what is left out is the model's own. */
export interface PurifyOptions extends Partial<PurifyRequest> {
  /** May be left out where the gateway serves one model. */
  readonly model?: string | undefined;
  /** Whether evidence is fetched, too; not when left out. */
  readonly maps?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  progress?(done: number, total: number | null): void;
}

/** A gateway. */
export interface GatewayClient {
  /**
   * Purifies pictures. The job is removed from the gateway afterwards, also when the signal is aborted.
   * @param pictures PNG, JPEG, WebP or TIFF files by name.
   * @returns the document of the run, and the purified pictures by the names that came.
   * @throws GatewayError for a refusal, the signal's reason when aborted, and what `fetch` throws.
   */
  purify(
    pictures: Readonly<Record<string, Uint8Array>>,
    options?: PurifyOptions,
  ): Promise<{ readonly answer: PurifyAnswer; readonly images: readonly PurifiedFile[] }>;
}

/** A refusal of the gateway, in its own words. */
export class GatewayError extends Error {
  override readonly name = "GatewayError";
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, sentence: string) {
    super(sentence);
    this.status = status;
    this.code = code;
  }
}

/**
 * Makes a client.
 * @example
 * const gateway = createClient("http://127.0.0.1:8080");
 * const { images } = await gateway.purify({ "cat.png": await readFile("cat.png") });
 * console.log(images[0].labelBefore, images[0].label, images[0].suspicion);
 */
export function createClient(address: string, options: ClientOptions = {}): GatewayClient {
  const { key, fetch = globalThis.fetch } = options;
  const base = address.replace(/\/+$/, "");
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };

  async function ask(path: string, init: RequestInit = {}): Promise<Response> {
    const response = await fetch(base + path, { ...init, headers });
    if (response.ok) return response;
    const text = await response.text();
    const { error = text.slice(0, 200), code = "endpoint" } = errorOf(text);
    throw new GatewayError(response.status, code, error);
  }

  return {
    async purify(pictures, { model, maps = false, signal, progress, ...request } = {}) {
      const images = Object.entries(pictures).map(([name, bytes]) => ({ name, data: toBase64(bytes) }));
      const body = JSON.stringify({ model, request, images });
      const job = jobView.parse(await (await ask("/api/jobs/purify", init("POST", signal, body))).json());
      try {
        const ended = await follow(await ask(job.links.events, init("GET", signal)), progress);
        if (ended.error !== null) throw new GatewayError(422, ended.error.code, ended.error.error);
        const answer = purifyAnswer.parse(await (await ask(job.links.result, init("GET", signal))).json());
        const bytes = async (link: string): Promise<Uint8Array<ArrayBuffer>> =>
          new Uint8Array(await (await ask(link, init("GET", signal))).arrayBuffer());
        const listed = maps
          ? jobFiles.parse(await (await ask(job.links.files, init("GET", signal))).json())
          : undefined;
        const files = await Promise.all(
          answer.images.map(async (row): Promise<PurifiedFile> => {
            const path = row.output.split("/").map(encodeURIComponent).join("/");
            const evidence = Object.entries(listed === undefined ? {} : evidenceLinks(listed, row.name));
            const own = evidence.map(async ([name, link]) => [name, await bytes(link)] as const);
            const png = await bytes(`${job.links.files}/${path}`);
            return { ...row, png, maps: Object.fromEntries(await Promise.all(own)) };
          }),
        );
        return { answer, images: files };
      } finally {
        await ask(job.links.self, { method: "DELETE" }).catch(() => undefined);
      }
    },
  };
}

function init(method: string, signal: AbortSignal | undefined, body?: string): RequestInit {
  return { method, ...(signal === undefined ? {} : { signal }), ...(body === undefined ? {} : { body }) };
}

/** Reads server-sent events to the end; the last state of the job. */
async function follow(response: Response, progress: PurifyOptions["progress"]): Promise<JobView> {
  let job: JobView | undefined;
  if (response.body === null) throw new GatewayError(502, "endpoint", "gateway: expected events, got none.");
  for await (const { event, data } of serverEvents(response.body)) {
    if (event === "job") job = jobView.parse(JSON.parse(data));
    if (event === "progress") {
      const { done, total } = JSON.parse(data) as { done: number; total: number | null };
      progress?.(done, total);
    }
  }
  if (job !== undefined && job.state !== "waiting" && job.state !== "running") return job;
  throw new GatewayError(502, "endpoint", "gateway: expected events to the end of the job, got a part of them.");
}

function errorOf(text: string): { readonly error?: string; readonly code?: string } {
  try {
    return JSON.parse(text) as { error?: string; code?: string };
  } catch {
    return {};
  }
}

/** In pieces: a function takes only so many arguments. */
function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(text);
}
