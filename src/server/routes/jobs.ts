/** @file Addresses of jobs: start, watch, fetch, cancel. */
import { createReadStream } from "node:fs";
import { extname, join } from "node:path";
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { z } from "zod";
import { FormatError, OptionError } from "../../core/errors.ts";
import type { RouteParts } from "../exchange.ts";
import { auditJob, auditJobBody } from "../jobs/audit-job.ts";
import { benchJob, benchJobBody } from "../jobs/bench-job.ts";
import { findJobFile, listJobFiles } from "../jobs/job-files.ts";
import { readJobImages } from "../jobs/job-images.ts";
import type { Job, JobKind, JobStore } from "../jobs/job-store.ts";
import { purifyJob, purifyJobBody } from "../jobs/purify-job.ts";
import type { CommandLine } from "../jobs/run-command.ts";
import { scanJob, scanJobBody } from "../jobs/scan-job.ts";
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

/** Adds the addresses. @param command how the command line is started; jobs that need it are refused without. */
export function jobRoutes(
  app: FastifyInstance,
  { state, jobs, command }: RouteParts & { readonly jobs: JobStore; readonly command: CommandLine | undefined },
): void {
  const commandLine = (): CommandLine => {
    if (command !== undefined) return command;
    throw new Refusal("denied", "jobs: expected a gateway that untrigger serve started, got another.");
  };
  const allow = (kind: JobKind): void => {
    if (!state.config.jobs[kind])
      throw new Refusal("denied", `jobs: expected a kind that is allowed here, got ${kind}.`);
  };

  app.post("/api/jobs/purify", { config }, async (request, reply) => {
    allow("purify");
    const body = readBody(request, purifyJobBody);
    const pictures = readJobImages(body.images, state.config.limits.jobImages);
    const { model, giveBack } = state.borrow(modelName(body.model));
    try {
      const work = purifyJob(body.request, pictures, model, state.config.limits.pixels);
      const { view } = jobs.start("purify", request.keyName, work, giveBack);
      return reply.code(202).header("location", view.links.self).send(view);
    } catch (error) {
      giveBack();
      throw error;
    }
  });

  app.post("/api/jobs/scan", { config }, async (request, reply) => {
    allow("scan");
    const body = readBody(request, scanJobBody);
    const pictures = readJobImages(body.images, state.config.limits.jobImages);
    const { model, giveBack } = state.borrow(modelName(body.model));
    giveBack();
    const { classifier, prior } = model.config;
    if (classifier === undefined) {
      throw new OptionError(
        "scan: expected a model that runs here, got one of an upstream; because triggers are found by gradients.",
      );
    }
    const { view } = jobs.start(
      "scan",
      request.keyName,
      scanJob(body, pictures, { command: commandLine(), classifier: classifier.path, prior }),
    );
    return reply.code(202).header("location", view.links.self).send(view);
  });

  app.post("/api/jobs/audit", { config }, async (request, reply) => {
    allow("audit");
    const body = readBody(request, auditJobBody);
    const { images = [] } = body;
    const pictures = images.length === 0 ? [] : readJobImages(images, state.config.limits.jobImages);
    const { model, giveBack } = state.borrow(modelName(body.model));
    giveBack();
    const { prior, references } = model.config;
    if (prior === undefined) {
      throw new OptionError("audit: expected a model with a prior, got one without. Do name it in the configuration.");
    }
    const { view } = jobs.start(
      "audit",
      request.keyName,
      auditJob(body, pictures, { command: commandLine(), prior, references }),
    );
    return reply.code(202).header("location", view.links.self).send(view);
  });

  app.post("/api/jobs/bench", { config }, async (request, reply) => {
    allow("bench");
    const { view } = jobs.start("bench", request.keyName, benchJob(readBody(request, benchJobBody), commandLine()));
    return reply.code(202).header("location", view.links.self).send(view);
  });

  app.get("/api/jobs", { config }, async ({ keyName }) => ({ jobs: jobs.list(keyName).map(({ view }) => view) }));

  app.get<{ Params: JobParams }>(
    "/api/jobs/:id",
    { config },
    async ({ params, keyName }) => jobs.get(params.id, keyName).view,
  );

  app.get<{ Params: JobParams }>("/api/jobs/:id/result", { config }, async ({ params, keyName }, reply) => {
    const { view, result } = jobs.get(params.id, keyName);
    if (view.state === "done" && result !== undefined) return result;
    if (view.error !== null) return reply.code(422).send(view.error);
    throw new Refusal("conflict", `job "${view.id}": expected its end, got it ${view.state}.`);
  });

  app.get<{ Params: JobParams }>("/api/jobs/:id/events", { config }, async ({ params, keyName }, reply) => {
    const job = jobs.get(params.id, keyName);
    const leaving = new AbortController();
    reply.raw.once("close", () => leaving.abort());
    return reply
      .headers({ "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" })
      .send(Readable.from(lines(job, leaving.signal)));
  });

  app.get<{ Params: JobParams }>("/api/jobs/:id/files", { config }, async ({ params, keyName }) => {
    const job = jobs.get(params.id, keyName);
    const folder = resultFolder(job);
    const files = folder === undefined ? [] : await listJobFiles(folder);
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
      const job = jobs.get(params.id, keyName);
      const { view } = job;
      const folder = resultFolder(job);
      const found = folder === undefined ? undefined : await findJobFile(folder, params["*"]);
      if (found === undefined) {
        throw new Refusal("unknown", `job "${view.id}": expected one of its files, got "${params["*"].slice(0, 80)}".`);
      }
      // A page of a result may show its own pictures and styles, and nothing else.
      return reply
        .headers({
          "content-type": types[extname(found).toLowerCase()] ?? "application/octet-stream",
          "x-content-type-options": "nosniff",
          "content-security-policy":
            "sandbox allow-scripts; default-src 'self' 'unsafe-inline' data:; connect-src 'none'",
        })
        .send(createReadStream(found));
    },
  );

  app.delete<{ Params: JobParams }>("/api/jobs/:id", { config }, async ({ params, keyName }, reply) => {
    await jobs.remove(params.id, keyName);
    return reply.code(204).send();
  });

  function modelName(asked: string | undefined): string {
    if (asked !== undefined) return asked;
    const names = Object.keys(state.config.models);
    const [only] = names;
    if (names.length === 1 && only !== undefined) return only;
    throw new OptionError(`model: expected one of ${names.join(", ")}, got none.`);
  }
}

/** @throws FormatError for what is no JSON, OptionError for JSON of another form. */
function readBody<Schema extends z.ZodType>(request: FastifyRequest, schema: Schema): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(((request.body as Buffer | undefined) ?? Buffer.alloc(0)).toString());
  } catch (cause) {
    throw new FormatError("body: expected JSON, got other text.", { cause });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new OptionError(`body: ${issue?.path.join(".") || "root"}: ${issue?.message}.`);
}

function resultFolder({ view, folder }: Job): string | undefined {
  return folder === undefined || view.kind === "purify" ? folder : join(folder, "out");
}

async function* lines(job: Job, signal: AbortSignal): AsyncGenerator<string> {
  let id = 0;
  for await (const { event, data } of job.events(signal)) {
    id += 1;
    yield `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
  }
}
