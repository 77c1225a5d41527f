/** @file The HTTP server around the gateway: limits at the door, who may ask, and refusals in each protocol's form. */
import { STATUS_CODES } from "node:http";
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify, LogController } from "fastify";
import { type Access, checkOrigin } from "./access.ts";
import type { GatewayState } from "./gateway-state.ts";
import type { Metrics } from "./metrics.ts";
import { openInference } from "./protocols/open-inference.ts";
import type { RefusalForm } from "./protocols/protocol.ts";
import { Refusal, type Told, toldOf } from "./refusal.ts";
import type { TlsFiles } from "./tls-files.ts";

/** A log: JSON lines about requests, never with what they hold. */
export interface Log {
  readonly level: "info" | "warn" | "error";
  readonly stream: { write(line: string): unknown };
}

/** What a server is made of. */
export interface AppParts {
  readonly state: GatewayState;
  readonly metrics: Metrics;
  readonly access: Access;
  readonly tls?: TlsFiles | undefined;
  /** Where JSON lines go; nothing is logged when left out. */
  readonly log?: Log | undefined;
  readonly routes: readonly ((app: FastifyInstance) => void)[];
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** In whose form refusals are. */
    protocol?: RefusalForm;
    /** No key is asked for. */
    open?: boolean;
  }
  interface FastifyRequest {
    /** The entry of the configuration that a request led to, for counters. */
    servedModel: string;
    /** Name of the client's key, where keys are asked for. */
    keyName: string | undefined;
  }
}

/** Makes the server; it does not listen yet. */
export async function createApp({ state, metrics, access, tls, log, routes }: AppParts): Promise<FastifyInstance> {
  const { limits } = state.config;
  const server = {
    headersTimeout: limits.headersMs,
    connectionsCheckingInterval: Math.min(limits.headersMs / 2, 5000),
  };
  const common = {
    logger: log === undefined ? false : { level: log.level, stream: log.stream },
    // One line a request is written below, without what a request holds.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestMs,
    forceCloseConnections: "idle",
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 1000 },
    clientErrorHandler: refuseConnection,
    // Addresses that do not decode lead to no route, and so to no handler of errors.
    frameworkErrors: (error: Error, _request: unknown, reply: unknown) => {
      sendRefusal(reply as FastifyReply, openInference, foreseen(error) ?? toldOf(error));
    },
  } as const;
  const app = (tls === undefined
    ? fastify({ ...common, http: server })
    : fastify({
        ...common,
        https: { ...server, cert: Buffer.from(tls.cert), key: Buffer.from(tls.key) },
      })) as unknown as FastifyInstance;
  app.server.maxConnections = limits.connections;

  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));

  app.decorateRequest("servedModel", "");
  app.decorateRequest("keyName", undefined);
  app.addHook("onRequest", async (request, reply) => {
    const { config } = state;
    const count = request.raw.rawHeaders.length / 2;
    if (count > config.limits.headers) {
      throw new Refusal("headers", `headers: expected at most ${config.limits.headers}, got ${count}.`);
    }
    checkOrigin(request.headers, config);
    allowOrigin(request, reply, config.origins);
    if (request.routeOptions.config.open !== true) request.keyName = access.admit(request.headers);
  });
  app.addHook("onResponse", async (request, reply) => {
    const facts = {
      route: request.routeOptions.url ?? "unknown",
      model: request.servedModel,
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1000,
    };
    metrics.answered(facts);
    request.log.info({ ...facts, method: request.method, id: request.id, from: request.ip }, "answered");
  });
  app.setErrorHandler((error, request, reply) => {
    if (reply.raw.destroyed) {
      // Nobody is at fault, and nobody hears an answer.
      request.log.info({ id: request.id, from: request.ip }, "the client left");
      return reply.hijack();
    }
    const told = foreseen(error) ?? toldOf(error);
    if (told.status >= 500) request.log.error({ err: error }, told.sentence);
    return sendRefusal(reply, request.routeOptions.config.protocol ?? openInference, told);
  });
  app.setNotFoundHandler((request, reply) => {
    if (request.method === "OPTIONS" && request.headers.origin !== undefined) return reply.code(204).send();
    const path = request.url.split("?")[0]?.slice(0, 80);
    const refusal = new Refusal(
      "unknown",
      `${request.method} ${path}: expected an address of this gateway, got none such.`,
    );
    return sendRefusal(reply, openInference, toldOf(refusal));
  });
  for (const route of routes) route(app);
  return app;
}

/** Answers with a refusal. */
export function sendRefusal(reply: FastifyReply, protocol: RefusalForm, told: Told): FastifyReply {
  const { headers, body } = protocol.encodeRefusal(told);
  if (told.retryAfter !== undefined) void reply.header("retry-after", String(told.retryAfter));
  if (told.code === "unauthorised") void reply.header("www-authenticate", "Bearer");
  return reply
    .code(told.status)
    .headers({ ...headers, untrigger: JSON.stringify({ refused: told.code }) })
    .send(body);
}

/** What fastify refuses by itself, in our words. */
function foreseen(error: unknown): Told | undefined {
  if (!(error instanceof Error) || !("code" in error) || !String(error.code).startsWith("FST_")) return undefined;
  const status = "statusCode" in error && typeof error.statusCode === "number" ? error.statusCode : 500;
  if (status === 413)
    return { status, code: "too-large", sentence: "body: expected fewer bytes, got more than this gateway takes." };
  if (status === 503)
    return { status, code: "stopping", sentence: "gateway: expected to go on, got told to stop.", retryAfter: 5 };
  if (status >= 500) return undefined;
  return {
    status,
    code: "input",
    sentence: `request: expected one that is well formed, got another; because ${error.message.replace(/\.$/, "")}.`,
  };
}

/** What the parser of HTTP refuses: there is no request yet, so that the answer is written by hand. */
function refuseConnection(error: Error & { code?: string }, socket: import("node:net").Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, sentence] =
    error.code === "HPE_HEADER_OVERFLOW"
      ? [431, "headers: expected at most 16384 bytes, got more."]
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? [408, "request: expected it whole within the time limit, got a part."]
        : [400, "request: expected HTTP, got something else."];
  const body = JSON.stringify({ error: sentence });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/** Lets pages of listed origins read answers. */
function allowOrigin({ headers }: FastifyRequest, reply: FastifyReply, origins: readonly string[]): void {
  if (headers.origin === undefined || !origins.includes(headers.origin)) return;
  void reply.headers({
    "access-control-allow-origin": headers.origin,
    vary: "origin",
    "access-control-allow-methods": "GET, POST, DELETE",
    "access-control-allow-headers":
      "authorization, x-api-key, content-type, inference-header-content-length, untrigger-seed, untrigger-deadline",
    "access-control-expose-headers": "untrigger, inference-header-content-length, retry-after, location",
  });
}
