/** @file What those ask who keep the gateway running. */
import type { FastifyInstance } from "fastify";
import type { RouteParts } from "../exchange.ts";

/** Adds `/metrics`. */
export function operationsRoutes(app: FastifyInstance, { metrics }: RouteParts): void {
  app.get("/metrics", async (_request, reply) => {
    const { type, body } = await metrics.text();
    return reply.header("content-type", type).send(body);
  });
}
