/** @file The Open Inference Protocol over gRPC, in front of a server or in place of one. `@grpc/grpc-js` is loaded on use. */
import type * as Grpc from "@grpc/grpc-js";
import { InputError, MissingDependencyError, messageOf } from "../../core/errors.ts";
import type { Access } from "../access.ts";
import { infer } from "../gateway.ts";
import type { GatewayState } from "../gateway-state.ts";
import type { Metrics } from "../metrics.ts";
import { noteText } from "../note.ts";
import { OWN_OUTPUT } from "../protocols/open-inference-answer.ts";
import { Refusal, toldOf } from "../refusal.ts";
import type { ServedModel } from "../served-model.ts";
import type { TlsFiles } from "../tls-files.ts";
import { noteFacts, type Tracing } from "../tracing.ts";
import type { ForwardAnswer, Upstream } from "../upstream.ts";
import { grpcInference } from "./infer-protocol.ts";
import { createClients, identity, SERVICE } from "./upstream.ts";
import { fieldsOf, lengthField, stringField, textField, varintField } from "./wire.ts";

const INTERNAL = 13;

/** Statuses of HTTP as those of gRPC; everything else is {@link INTERNAL}. */
const codes: Readonly<Record<number, number>> = {
  400: 3,
  401: 16,
  403: 7,
  404: 5,
  408: 4,
  413: 8,
  415: 3,
  422: 3,
  429: 8,
  501: 12,
  502: 14,
  503: 14,
  504: 4,
};

/** A gRPC service that listens. */
export interface RunningService {
  readonly port: number;
  /** Finishes what it took. */
  close(): Promise<void>;
  /** Ends everything at once. */
  force(): void;
}

/** What a service is made of. */
export interface ServiceParts {
  readonly state: GatewayState;
  readonly metrics: Metrics;
  readonly access: Access;
  /** Absent where nothing is traced. */
  readonly tracing: Tracing | undefined;
  /** Of this package. */
  readonly version: string;
}

/** @throws MissingDependencyError without `@grpc/grpc-js`, InputError when the address cannot be listened on. */
export async function startService(
  { state, metrics, access, tracing, version }: ServiceParts,
  { host, port, tls }: { readonly host: string; readonly port: number; readonly tls: TlsFiles | undefined },
): Promise<RunningService> {
  const grpc = await load();
  const { bodyBytes, answerBytes } = state.config.limits;
  const sizes = (receive: number, send: number): Grpc.ChannelOptions => ({
    "grpc.max_receive_message_length": receive,
    "grpc.max_send_message_length": send,
  });
  const server = new grpc.Server(sizes(bodyBytes, answerBytes));
  const clients = createClients(grpc, sizes(answerBytes, bodyBytes));

  /** An upstream of the configuration, by its gRPC address. */
  function upstreamOf(name: string, method: string, metadata: Grpc.Metadata): Upstream {
    const address = state.config.grpcUpstreams[name];
    if (address === undefined) {
      throw new Refusal("unknown", `upstream "${name}": expected its gRPC address under grpcUpstreams, got none.`);
    }
    return clients.open({ name, address, ca: state.authorities }, method, metadata);
  }

  /** Runs one call: who may ask, deadline, departure, and errors as statuses. */
  function unary(
    open: boolean,
    work: (
      call: Grpc.ServerUnaryCall<Buffer, Buffer>,
      run: { readonly signal: AbortSignal; model: string },
    ) => Promise<Uint8Array>,
  ): Grpc.handleUnaryCall<Buffer, Buffer> {
    return (call, done) => {
      const started = performance.now();
      const controller = new AbortController();
      const { deadlineMs } = state.config.limits;
      const timer = setTimeout(
        () => controller.abort(new Refusal("late", `request: expected an answer within ${deadlineMs} ms, got none.`)),
        deadlineMs,
      );
      call.on("cancelled", () => controller.abort());
      const run = { signal: controller.signal, model: "" };
      const end = (status: number): void => {
        clearTimeout(timer);
        metrics.answered({
          route: call.getPath(),
          model: run.model,
          status,
          seconds: (performance.now() - started) / 1000,
        });
      };
      const admitted = async (): Promise<Uint8Array> => {
        const [authorization, key] = ["authorization", "x-api-key"].map((name) =>
          call.metadata.get(name)[0]?.toString(),
        );
        if (!open) access.admit({ authorization, "x-api-key": key });
        return await work(call, run);
      };
      admitted().then(
        (bytes) => {
          end(200);
          done(null, Buffer.from(bytes));
        },
        (error: unknown) => {
          const told = toldOf(error);
          end(told.status);
          const metadata = new grpc.Metadata();
          metadata.set("untrigger", JSON.stringify({ refused: told.code }));
          if (told.retryAfter !== undefined) metadata.set("retry-after", String(told.retryAfter));
          if (error instanceof ServerStatus) done({ code: statusOf(error), details: error.message });
          else done({ code: statusOf(error), details: told.sentence, metadata });
        },
      );
    };
  }

  /** A question about a model: its server's answer, or ours. */
  const about = (nameField: number, method: string, own: (name: string, model: ServedModel) => Uint8Array) =>
    unary(false, async (call, run) => {
      const name = textField(fieldsOf(call.request), nameField);
      const { entry, model, giveBack } = state.borrow(name);
      run.model = entry;
      try {
        const { upstream } = model.config;
        if (upstream === undefined) return own(name, model);
        return bodyOf(
          await upstreamOf(upstream, method, forwarded(call.metadata)).forward({
            method: "POST",
            path: "",
            headers: [],
            body: call.request,
            signal: run.signal,
          }),
        );
      } finally {
        giveBack();
      }
    });

  const handlers: Record<string, Grpc.handleUnaryCall<Buffer, Buffer>> = {
    ServerLive: unary(true, async () => varintField(1, 1)),
    ServerReady: unary(true, async () => varintField(1, 1)),
    ServerMetadata: unary(false, async () =>
      Buffer.concat([stringField(1, "untrigger"), stringField(2, version), stringField(3, "binary_tensor_data")]),
    ),
    ModelReady: about(1, "ModelReady", () => varintField(1, 1)),
    ModelMetadata: about(1, "ModelMetadata", metadataOf),
    ModelInfer: unary(false, async (call, run) => {
      const name = textField(fieldsOf(call.request), 1);
      const { entry, model, giveBack } = state.borrow(name);
      run.model = entry;
      const trace = tracing?.begin(call.getPath().slice(1), call.metadata.get("traceparent")[0]?.toString());
      const facts = { "rpc.system": "grpc", "untrigger.entry": entry };
      try {
        const { upstream } = model.config;
        const metadata = forwarded(call.metadata);
        for (const name of trace?.replaced ?? []) metadata.remove(name);
        const reply = await infer(
          {
            protocol: grpcInference,
            name,
            entry,
            model,
            upstream: upstream === undefined ? undefined : upstreamOf(upstream, "ModelInfer", metadata),
            path: "",
            headers: { "untrigger-seed": call.metadata.get("untrigger-seed")[0]?.toString() },
            rawHeaders: [],
            body: call.request,
            secret: new Set(),
            signal: run.signal,
          },
          trace?.over(metrics) ?? metrics,
        );
        const body = bodyOf(reply);
        trace?.end({ ...facts, ...noteFacts(reply.note), "rpc.grpc.status_code": grpc.status.OK });
        const note = new grpc.Metadata();
        note.set("untrigger", noteText(reply.note));
        call.sendMetadata(note);
        return body;
      } catch (error) {
        const status = statusOf(error);
        trace?.end({ ...facts, "rpc.grpc.status_code": status }, grpc.status[status]);
        throw error;
      } finally {
        giveBack();
      }
    }),
  };

  /** What the client sent beside the message, without what is the gateway's own. */
  function forwarded(metadata: Grpc.Metadata): Grpc.Metadata {
    const copy = metadata.clone();
    const own = ["untrigger-seed", ...(state.config.keys.length > 0 ? ["authorization", "x-api-key"] : [])];
    for (const key of own) copy.remove(key);
    return copy;
  }

  server.addService(
    Object.fromEntries(
      Object.keys(handlers).map((method) => [
        method,
        {
          path: SERVICE + method,
          requestStream: false,
          responseStream: false,
          requestSerialize: identity,
          requestDeserialize: identity,
          responseSerialize: identity,
          responseDeserialize: identity,
        },
      ]),
    ),
    handlers,
  );
  const credentials =
    tls === undefined
      ? grpc.ServerCredentials.createInsecure()
      : grpc.ServerCredentials.createSsl(null, [
          { cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) },
        ]);
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, credentials, (error, found) => {
      if (error === null) resolve(found);
      else
        reject(
          new InputError(`${host}:${port}: expected an address to listen on, got ${error.message}.`, { cause: error }),
        );
    });
  });
  return {
    port: bound,
    async close() {
      await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      clients.close();
    },
    force: () => server.forceShutdown(),
  };
}

/** A status that an upstream gave, to be given on as it is. */
class ServerStatus extends Error {
  override readonly name = "ServerStatus";
  readonly status: number;

  constructor(status: number, details: string) {
    super(details);
    this.status = status;
  }
}

/** The status of gRPC for anything that was thrown. */
function statusOf(error: unknown): number {
  return error instanceof ServerStatus ? error.status : (codes[toldOf(error).status] ?? INTERNAL);
}

function bodyOf({ headers, body }: ForwardAnswer): Uint8Array {
  const status = headers["grpc-status"];
  if (status === undefined) return body;
  throw new ServerStatus(Number(status), String(headers["grpc-message"] ?? ""));
}

function metadataOf(name: string, { form, classes }: ServedModel): Uint8Array {
  const { channels = -1, height = -1, width = -1 } = form.needs;
  const tensor = (title: string, shape: readonly number[]): Uint8Array =>
    Buffer.concat([stringField(1, title), stringField(2, "FP32"), ...shape.map((dim) => varintField(3, dim))]);
  return Buffer.concat([
    stringField(1, name),
    stringField(2, "1"),
    stringField(3, "untrigger"),
    lengthField(4, tensor(form.input ?? "images", [-1, channels, height, width])),
    lengthField(5, tensor(OWN_OUTPUT, [-1, classes ?? -1])),
  ]);
}

async function load(): Promise<typeof Grpc> {
  try {
    return await import("@grpc/grpc-js");
  } catch (cause) {
    throw new MissingDependencyError(
      `serve: expected the package @grpc/grpc-js for --grpc-port, got none that loads; because ${messageOf(cause)}. Do run "npm install @grpc/grpc-js@1".`,
      { cause },
    );
  }
}
