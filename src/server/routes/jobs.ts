/** @file Addresses of jobs: start, watch, fetch, cancel. */
import { extname } from "node:path";
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { FormatError } from "../../core/errors.ts";
import { type Job, type JobStore, jobKinds } from "../jobs/job.ts";
import { apiForm } from "../protocols/api-form.ts";
import { Refusal } from "../refusal.ts";

const config = { protocol: apiForm };

/** What a file is, by its ending; anything else is bytes. */
const types: Readonly<Record<string, string>> = {
  ".png": "image/png",
  ".html": "text/html; charset=utf-8",
  ".json": "application/json",
  ".jsonl": "application/jsonl",
  ".csv": "text/csv; charset=utf-8",
  ".md": "text/markdown; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Files that one listing tells of. */
const MOST_LISTED = 10_000;

interface JobParams {
  readonly id: string;
}

/** Adds the addresses. */
export function jobRoutes(app: FastifyInstance, jobs: JobStore): void {
  for (const kind of jobKinds) {
    app.post(`/api/jobs/${kind}`, { config }, async (request, reply) => {
      const view = await jobs.start({ kind, owner: request.keyName, body: readJson(request) });
      return reply.code(202).header("location", view.links.self).send(view);
    });
  }

  app.get("/api/jobs", { config }, async ({ keyName }) => ({ jobs: await jobs.list(keyName) }));

  app.get<{ Params: JobParams }>(
    "/api/jobs/:id",
    { config },
    async ({ params, keyName }) => (await jobs.get(params.id, keyName)).view,
  );

  app.get<{ Params: JobParams }>("/api/jobs/:id/result", { config }, async ({ params, keyName }, reply) => {
    const job = await jobs.get(params.id, keyName);
    const { id, state, error } = job.view;
    if (error !== null) return reply.code(422).send(error);
    const result = await job.result();
    if (result !== undefined) return result;
    throw new Refusal("conflict", `job "${id}": expected its end, got it ${state}.`);
  });

  app.get<{ Params: JobParams }>("/api/jobs/:id/events", { config }, async ({ params, keyName }, reply) => {
    const job = await jobs.get(params.id, keyName);
    const leaving = new AbortController();
    reply.raw.once("close", () => leaving.abort());
    return reply
      .headers({ "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" })
      .send(Readable.from(lines(job, leaving.signal)));
  });

  app.get<{ Params: JobParams }>("/api/jobs/:id/files", { config }, async ({ params, keyName }) => {
    const job = await jobs.get(params.id, keyName);
    const files = await job.files();
    const link = (path: string): string =>
      `${job.view.links.files}/${path.split("/").map(encodeURIComponent).join("/")}`;
    return {
      files: files.slice(0, MOST_LISTED).map((file) => ({ ...file, link: link(file.path) })),
      total: files.length,
    };
  });

  app.get<{ Params: JobParams & { "*": string } }>(
    "/api/jobs/:id/files/*",
    { config },
    async ({ params, keyName }, reply) => {
      const { "*": path, id } = params;
      const found = await (await jobs.get(id, keyName)).open(path);
      if (found === undefined) {
        throw new Refusal("unknown", `job "${id}": expected one of its files, got "${path.slice(0, 80)}".`);
      }
      // A page of a result may show its own pictures and styles, and nothing else.
      return reply
        .headers({
          "content-type": types[extname(path).toLowerCase()] ?? "application/octet-stream",
          "x-content-type-options": "nosniff",
          "content-security-policy":
            "sandbox allow-scripts; default-src 'self' 'unsafe-inline' data:; connect-src 'none'",
        })
        .send(found);
    },
  );

  app.delete<{ Params: JobParams }>("/api/jobs/:id", { config }, async ({ params, keyName }, reply) => {
    await jobs.remove(params.id, keyName);
    return reply.code(204).send();
  });
}

/** @throws FormatError for what is no JSON. */
function readJson(request: FastifyRequest): unknown {
  try {
    return JSON.parse(((request.body as Buffer | undefined) ?? Buffer.alloc(0)).toString());
  } catch (cause) {
    throw new FormatError("body: expected JSON, got other text.", { cause });
  }
}

async function* lines(job: Job, signal: AbortSignal): AsyncGenerator<string> {
  let id = 0;
  for await (const { event, data } of job.events(signal)) {
    id += 1;
    yield `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
  }
}
