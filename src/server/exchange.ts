/** @file From an HTTP request to one run through the gateway and back: deadline, departure of the client, headers. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { KEY_HEADERS } from "./access.ts";
import { infer } from "./gateway.ts";
import type { GatewayState } from "./gateway-state.ts";
import type { Metrics } from "./metrics.ts";
import { noteText } from "./note.ts";
import type { HeaderMap, Protocol } from "./protocols/protocol.ts";
import { Refusal, toldOf } from "./refusal.ts";
import { noteFacts, type Tracing } from "./tracing.ts";
import { endToEndRaw, type ForwardAnswer, type Upstream } from "./upstream.ts";

/** What routes need. */
export interface RouteParts {
  readonly state: GatewayState;
  readonly metrics: Metrics;
  /** Absent where nothing is traced. */
  readonly tracing: Tracing | undefined;
}

const NONE: ReadonlySet<string> = new Set();

/** Answers an infer request. @param name of the model. */
export async function answerInfer(
  { state, metrics, tracing }: RouteParts,
  {
    protocol,
    name,
    request,
    reply,
  }: {
    readonly protocol: Protocol;
    readonly name: string;
    readonly request: FastifyRequest;
    readonly reply: FastifyReply;
  },
): Promise<FastifyReply> {
  const borrowed = state.borrow(name);
  const { entry, model, upstream, giveBack } = borrowed;
  request.servedModel = entry;
  const headers = singleHeaders(request);
  const watch = watchRequest(reply, deadlineOf(headers, model.limits.deadlineMs));
  const route = request.routeOptions.url ?? "unknown";
  const trace = tracing?.begin(`POST ${route}`, headers["traceparent"], Date.now() - reply.elapsedTime);
  const facts = { "http.request.method": "POST", "http.route": route, "untrigger.entry": entry };
  const secret = secretHeaders(state);
  try {
    const answer = await infer(
      {
        protocol,
        name,
        entry,
        model,
        upstream,
        path: request.url,
        headers,
        rawHeaders: request.raw.rawHeaders,
        body: (request.body as Buffer | undefined) ?? Buffer.alloc(0),
        secret: trace === undefined ? secret : new Set([...secret, ...trace.replaced]),
        signal: watch.signal,
      },
      trace?.over(metrics) ?? metrics,
    );
    trace?.end({ ...facts, ...noteFacts(answer.note), "http.response.status_code": answer.status });
    return sendAnswer(reply, answer).header("untrigger", noteText(answer.note)).send(answer.body);
  } catch (error) {
    const { status, code } = toldOf(error);
    trace?.end({ ...facts, "http.response.status_code": status, "error.type": code }, code);
    throw error;
  } finally {
    watch.end();
    giveBack();
  }
}

/** A question without images: there and back as it is. */
export async function forwardGet(
  request: FastifyRequest,
  reply: FastifyReply,
  { state, upstream }: { readonly state: GatewayState; readonly upstream: Upstream },
): Promise<FastifyReply> {
  const watch = watchRequest(reply, state.config.limits.deadlineMs);
  try {
    const answer = await upstream.forward({
      method: "GET",
      path: request.url,
      headers: endToEndRaw(request.raw.rawHeaders, secretHeaders(state)),
      body: undefined,
      signal: watch.signal,
    });
    return sendAnswer(reply, answer).send(answer.body);
  } finally {
    watch.end();
  }
}

/** Sets status and headers of an answer. */
function sendAnswer(reply: FastifyReply, { status, headers }: Omit<ForwardAnswer, "body">): FastifyReply {
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) void reply.header(name, value);
  return reply.code(status);
}

/** A signal that is aborted when the client leaves, or when its time is over. */
function watchRequest(reply: FastifyReply, deadlineMs: number): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const timer = setTimeout(
    () => controller.abort(new Refusal("late", `request: expected an answer within ${deadlineMs} ms, got none.`)),
    deadlineMs,
  );
  const left = (): void => {
    if (!reply.raw.writableEnded) controller.abort();
  };
  reply.raw.once("close", left);
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer);
      reply.raw.off("close", left);
    },
  };
}

/** Headers of the gateway's own that no upstream sees. */
function secretHeaders({ config }: GatewayState): ReadonlySet<string> {
  return config.keys.length > 0 ? KEY_HEADERS : NONE;
}

function deadlineOf(headers: HeaderMap, most: number): number {
  const asked = headers["untrigger-deadline"];
  const value = asked !== undefined && /^\d{1,9}$/.test(asked) ? Number(asked) : most;
  return Math.min(Math.max(value, 1), most);
}

function singleHeaders({ headers }: FastifyRequest): HeaderMap {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]),
  );
}
