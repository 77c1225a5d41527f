/** @file Servers behind the gateway that speak gRPC: one client an address, messages there and back as they are. */
import type * as Grpc from "@grpc/grpc-js";
import { Refusal } from "../refusal.ts";
import type { ForwardAnswer, Upstream } from "../upstream.ts";

/** Before the name of a method in its path. */
export const SERVICE = "/inference.GRPCInferenceService/";

/** What is known of an upstream. */
export interface GrpcTarget {
  readonly name: string;
  /** `HOST:PORT`, or `grpcs://HOST:PORT` for TLS. */
  readonly address: string;
  /** Authorities, PEM; those of the system when left out. */
  readonly ca: Uint8Array | undefined;
}

/** Clients of all upstreams. */
export interface GrpcClients {
  /** One method of an upstream; headers of a request go beside `metadata`. Statuses of the server come back as headers `grpc-status` and `grpc-message`. */
  open(target: GrpcTarget, method: string, metadata: Grpc.Metadata): Upstream;
  close(): void;
}

/** @param options of every connection: sizes of messages. */
export function createClients(grpc: typeof Grpc, options: Grpc.ClientOptions): GrpcClients {
  const clients = new Map<string, { readonly client: Grpc.Client; readonly ca: Uint8Array | undefined }>();

  function clientOf({ address, ca }: GrpcTarget): Grpc.Client {
    const known = clients.get(address);
    if (known !== undefined && known.ca === ca) return known.client;
    // Other authorities: the old connection was trusted by those from before. It ends when its calls have.
    known?.client.close();
    const [, secure, place = ""] = /^(?:grpc(s?):\/\/)?(.*)$/.exec(address) ?? [];
    const credentials =
      secure === "s"
        ? grpc.credentials.createSsl(ca === undefined ? null : Buffer.from(ca))
        : grpc.credentials.createInsecure();
    const client = new grpc.Client(place, credentials, options);
    clients.set(address, { client, ca });
    return client;
  }

  return {
    open(target, method, metadata) {
      const { name } = target;
      const client = clientOf(target);
      return {
        name,
        forward: ({ headers, body, signal }) =>
          new Promise<ForwardAnswer>((resolve, reject) => {
            const told = metadata.clone();
            for (let i = 0; i + 1 < headers.length; i += 2) told.set(headers[i] ?? "", headers[i + 1] ?? "");
            const call = client.makeUnaryRequest(
              SERVICE + method,
              identity,
              identity,
              Buffer.from(body ?? []),
              told,
              (error, answer) => {
                signal.removeEventListener("abort", stop);
                if (signal.aborted) reject(signal.reason);
                else if (error === null) resolve({ status: 200, headers: {}, body: answer ?? Buffer.alloc(0) });
                // Of the connection, not of the server's own.
                else if (error.code === grpc.status.UNAVAILABLE) {
                  reject(
                    new Refusal(
                      "upstream",
                      `upstream "${name}": expected an answer, got none; because ${error.details.slice(0, 200)}.`,
                    ),
                  );
                } else {
                  resolve({
                    status: 500,
                    headers: { "grpc-status": String(error.code), "grpc-message": error.details },
                    body: Buffer.alloc(0),
                  });
                }
              },
            );
            const stop = (): void => call.cancel();
            signal.addEventListener("abort", stop, { once: true });
          }),
        dispose: async () => undefined,
      };
    },
    close() {
      for (const { client } of clients.values()) client.close();
    },
  };
}

/** Messages are bytes on both sides. */
export function identity(bytes: Buffer): Buffer {
  return bytes;
}
