/**
 * @file Traces of requests, sent to a collector over OTLP: a span a request, and one for each part that metrics time. Nothing
 * that a request holds is in them. OpenTelemetry's packages are loaded on use, and here alone.
 */
import { MissingDependencyError, messageOf } from "../core/errors.ts";
import type { GatewayConfig } from "./config.ts";
import type { Observer, Stage } from "./metrics.ts";
import type { Note } from "./note.ts";
import { formatTraceparent, parseTraceparent, type SpanName } from "./trace-context.ts";

/** Facts of a span. */
export type SpanFacts = Readonly<Record<string, string | number | boolean>>;

/** The trace of one request. */
export interface Trace {
  /** Headers of the client that the upstream must not see: others take their place. */
  readonly replaced: ReadonlySet<string>;
  /** Times parts as `observer` does, in spans of their own. */
  over(observer: Observer): Observer;
  /** Ends the request's span. @param failure code of what was thrown. */
  end(facts: SpanFacts, failure?: string): void;
}

/** Makes traces. */
export interface Tracing {
  /** @param name of the span. @param client the client's header `traceparent`. @param since when it began, in ms since 1970. */
  begin(name: string, client: string | undefined, since?: number): Trace;
  /** Sends what is left. */
  close(): Promise<void>;
}

/** Milliseconds that the collector may take. */
const COLLECTOR_MS = 5000;

/** @throws MissingDependencyError without OpenTelemetry's packages. */
export async function openTracing(
  { otlp, service }: NonNullable<GatewayConfig["tracing"]>,
  version: string,
): Promise<Tracing> {
  const { api, sdk, exporter, resources } = await load();
  const { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } = api;
  const provider = new sdk.TracerProvider({
    resource: resources.resourceFromAttributes({ "service.name": service, "service.version": version }),
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter: new exporter.OTLPTraceExporter({ url: addressOf(otlp), timeoutMillis: COLLECTOR_MS }),
      }),
    ],
  });
  const tracer = provider.getTracer("untrigger", version);

  return {
    begin(name, client, since) {
      const parent: SpanName | undefined = parseTraceparent(client);
      const above =
        parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true });
      const span = tracer.startSpan(
        name,
        { kind: SpanKind.SERVER, ...(since === undefined ? {} : { startTime: since }) },
        above,
      );
      const inside = trace.setSpan(ROOT_CONTEXT, span);
      return {
        // The state of a trace belongs to its parent: without one it says nothing.
        replaced: new Set(parent === undefined ? ["traceparent", "tracestate"] : ["traceparent"]),
        over: ({ time, judged }) => ({
          judged,
          async time<T>(stage: Stage, part: (context: readonly string[]) => Promise<T>): Promise<T> {
            const kind = stage === "upstream" ? SpanKind.CLIENT : SpanKind.INTERNAL;
            const own = tracer.startSpan(stage, { kind }, inside);
            try {
              return await time(stage, () => part(["traceparent", formatTraceparent(own.spanContext())]));
            } catch (error) {
              own.setStatus({ code: SpanStatusCode.ERROR });
              throw error;
            } finally {
              own.end();
            }
          },
        }),
        end(facts, failure) {
          span.setAttributes(facts);
          if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
          span.end();
        },
      };
    },
    // A collector that is away keeps nobody from ending.
    close: () => provider.shutdown().catch(() => undefined),
  };
}

/** What a note tells about a request, as facts of its span: counts, never what an image shows. */
export function noteFacts({ policy, method, images, cached, flagged }: Note): SpanFacts {
  const facts = {
    "untrigger.policy": policy,
    "untrigger.method": method,
    "untrigger.images": images,
    "untrigger.cached": cached,
    "untrigger.flagged": flagged?.filter(Boolean).length,
  };
  return Object.fromEntries(
    Object.entries(facts).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
}

/** The place for traces at a collector's address; one with a path of its own is taken as it is. */
function addressOf(collector: string): string {
  const url = new URL(collector);
  return url.pathname === "/" ? new URL("/v1/traces", url).href : collector;
}

async function load() {
  try {
    return {
      api: await import("@opentelemetry/api"),
      sdk: await import("@opentelemetry/sdk-trace"),
      exporter: await import("@opentelemetry/exporter-trace-otlp-http"),
      resources: await import("@opentelemetry/resources"),
    };
  } catch (cause) {
    throw new MissingDependencyError(
      `serve: expected OpenTelemetry's packages for --otlp, got none that load; because ${messageOf(cause).split("\n")[0]}. Do run "npm install @opentelemetry/api@1.9 @opentelemetry/sdk-trace@2 @opentelemetry/resources@2 @opentelemetry/exporter-trace-otlp-http@0.223".`,
      { cause },
    );
  }
}
