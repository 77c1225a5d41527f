/** @file Real servers on 127.0.0.1 for tests. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** A request with its whole body. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** What a server answers: JSON of any other value (or of a promise's), or what `respond` writes. */
export type Handler = (request: Received, respond: ServerResponse) => unknown;

/**
 * Starts a server that is stopped when the running test ends.
 * @param handler answers; what it returns is sent as JSON with status 200, unless it is undefined: then it wrote itself.
 * @returns its address without a slash at the end, and the requests so far.
 */
export async function serve(handler: Handler): Promise<{ url: string; received: readonly Received[] }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", async () => {
      const entry: Received = {
        method: request.method ?? "",
        path: request.url ?? "",
        headers: request.headers,
        body: Buffer.concat(chunks),
      };
      received.push(entry);
      const answer = await handler(entry, response);
      if (answer !== undefined) response.setHeader("content-type", "application/json").end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}
