/** @file gRPC calls as plain clients make them: the official library, messages written field by field. */
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { onTestFinished } from "vitest";
import { fieldsOf, textField } from "../../src/server/grpc/wire.ts";
import type { RunningGateway } from "../../src/server/start.ts";

/** An answer with its note. */
export interface GrpcAnswer {
  readonly bytes: Buffer;
  readonly note: { readonly policy?: string; readonly images?: number; readonly suspicion?: readonly number[] };
}

/** What a call may carry beside its message. */
export interface CallOptions {
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Authorities, PEM: the call goes over TLS. */
  readonly ca?: Buffer | undefined;
}

/** Calls a method; fails with the service's error. */
export function call(
  { grpcPort }: Pick<RunningGateway, "grpcPort">,
  method: string,
  message: Uint8Array,
  { metadata = {}, ca }: CallOptions = {},
): Promise<GrpcAnswer> {
  const client = new Client(
    `localhost:${grpcPort}`,
    ca === undefined ? credentials.createInsecure() : credentials.createSsl(ca),
  );
  onTestFinished(() => client.close());
  const same = (bytes: Buffer): Buffer => bytes;
  return new Promise((resolve, reject) => {
    let note = "{}";
    client
      .makeUnaryRequest(
        `/inference.GRPCInferenceService/${method}`,
        same,
        same,
        Buffer.from(message),
        Metadata.fromHttp2Headers(metadata),
        (error, bytes) => {
          if (error === null && bytes !== undefined) resolve({ bytes, note: JSON.parse(note) });
          else reject(error);
        },
      )
      .on("metadata", (given) => {
        note = String(given.get("untrigger")[0] ?? "{}");
      });
  });
}

/** Metadata with a key. */
export function keyMetadata(key: string): Record<string, string> {
  return { authorization: `Bearer ${key}` };
}

/** The error of a call that must fail. */
export function failure(promise: Promise<GrpcAnswer>): Promise<ServiceError> {
  return promise.then(
    () => Promise.reject(new Error("it did not fail")),
    (error: ServiceError) => error,
  );
}

/** A `ModelInferRequest`. */
export function inferRequest(
  model: string,
  {
    datatype = "FP32",
    shape = [2, 1, 28, 28],
    raw,
    contents,
  }: { datatype?: string; shape?: number[]; raw?: Uint8Array; contents?: (w: BinaryWriter) => void },
): Uint8Array {
  const writer = new BinaryWriter().tag(1, 2).string(model).tag(3, 2).string("id-7");
  writer.tag(5, 2).fork().tag(1, 2).string("images").tag(2, 2).string(datatype);
  writer.tag(3, 2).fork();
  for (const dim of shape) writer.int64(dim);
  writer.join();
  if (contents !== undefined) {
    writer.tag(5, 2).fork();
    contents(writer);
    writer.join();
  }
  writer.join();
  if (raw !== undefined) writer.tag(7, 2).bytes(raw);
  return writer.finish();
}

/** Outputs of a `ModelInferResponse`, FP32 raw. */
export function outputsOf(bytes: Uint8Array): Record<string, number[]> {
  const fields = fieldsOf(bytes);
  const raws = fields.filter(({ number }) => number === 6);
  const outputs = fields.filter(({ number }) => number === 5);
  return Object.fromEntries(
    outputs.map((output, i) => [
      textField(fieldsOf(output.bytes), 1),
      [...new Float32Array(new Uint8Array(raws[i]!.bytes).buffer)],
    ]),
  );
}
