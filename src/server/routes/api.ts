/** @file What the gateway says about itself, for pages and clients. */
import type { FastifyInstance } from "fastify";
import { methodsDocument } from "../../jobs/methods.ts";
import type { RouteParts } from "../exchange.ts";
import { jobKinds } from "../jobs/job.ts";
import { apiForm } from "../protocols/api-form.ts";
import type { ServedModel } from "../served-model.ts";

/** Version of the document at `/api`. */
const GATEWAY_SCHEMA = "untrigger/gateway@1";

const config = { protocol: apiForm };

/** Adds `/api` and `/api/methods`. @param version of this package. */
export function apiRoutes(app: FastifyInstance, { state }: RouteParts, version: string): void {
  app.get("/api", { config }, async () => {
    const { limits, jobs } = state.config;
    const models = [...state.models].map(([name, model]) => describe(name, model));
    return {
      schema: GATEWAY_SCHEMA,
      version,
      models,
      jobs: jobKinds.filter((kind) => jobs[kind] && (kind !== "audit" || models.some(({ prior }) => prior))),
      limits: { bodyBytes: limits.bodyBytes, jobImages: limits.jobImages },
    };
  });
  app.get("/api/methods", { config }, async () => methodsDocument());
}

function describe(name: string, { config: told, form, prior, classifier, plan, threshold }: ServedModel) {
  const { channels = null, height = null, width = null } = form.needs;
  return {
    name,
    policy: told.policy,
    source: told.classifier === undefined ? "upstream" : "classifier",
    method: told.method,
    preset: plan?.preset ?? told.preset ?? null,
    options: told.options ?? {},
    votes: plan?.votes.length ?? told.votes ?? null,
    seed: told.seed,
    answer: told.answer,
    threshold: threshold ?? null,
    input: { channels, height, width },
    labels: classifier?.labels ?? null,
    prior: prior !== undefined,
    scan: told.classifier !== undefined,
  };
}
