/**
 * @file The part of a gateway that the page talks to, as docs/design/0007 draws it: really purifies, one job after the
 * other, in memory.
 */
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { decodePicture, encodePng } from "../../../src/images/node.ts";
import { type Picture, picturesFromTensor } from "../../../src/images/picture.ts";
import { type PurifyRequest, purifyPictures } from "../../../src/jobs/purify.ts";
import { openClassifierAt } from "../../../src/node/open-classifier.ts";
import { openPriorAt } from "../../../src/node/open-prior.ts";
import { readCalibration } from "../../../src/node/read-calibration.ts";
import { createNodeRuntime } from "../../../src/runtime/node.ts";
import type { StaticServer } from "./static-server.ts";
import { CLASSIFIER, PRIOR } from "./tab-site.ts";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
};

/** The key that it wants. */
export const KEY = "correct-horse";

/** A gateway that is listened to. */
export interface SmallGateway extends StaticServer {
  /** Method and address of every request so far. */
  readonly asked: readonly string[];
}

interface Job {
  readonly view: Record<string, unknown>;
  readonly result?: object;
  readonly files: Map<string, Uint8Array>;
}

/** Serves a built page and one model. @param wantsKey whether it asks for {@link KEY}. */
export async function serveGateway(page: string, wantsKey: boolean): Promise<SmallGateway> {
  const runtime = await createNodeRuntime({ device: "cpu", threads: 1 });
  const prior = await openPriorAt(PRIOR, runtime);
  const classifier = await openClassifierAt(CLASSIFIER, runtime);
  const calibrationFile = await readCalibration(PRIOR);
  const asked: string[] = [];
  const scan = { id: "s1", kind: "scan", state: "done", progress: null, error: null, created: "2026-11-30T12:00:00Z" };
  const jobs = new Map<string, Job>([
    ["s1", { view: scan, files: new Map([["index.html", Buffer.from("<!doctype html><title>A scan</title>")]]) }],
  ]);

  async function start(body: {
    model: string;
    request: PurifyRequest;
    images: { name: string; data: string }[];
  }): Promise<Job> {
    const files = new Map<string, Uint8Array>();
    const view = { id: `p${asked.length}`, kind: "purify", progress: null, created: "2026-11-30T12:00:00Z" };
    const images: object[] = [];
    const put = async (path: string, picture: Picture) => files.set(path, await encodePng(picture));
    try {
      const summary = await purifyPictures(body.request, {
        prior,
        classifier,
        calibrationFile,
        pictures: (async function* () {
          for (const { name, data } of body.images) yield await decodePicture(Buffer.from(data, "base64"), name);
        })(),
        async sink(results) {
          for (const { row, input, output, evidence } of results) {
            images.push(row);
            await put(row.output, output);
            await put(`inputs/${row.name}.png`, input);
            for (const [name, map] of Object.entries(evidence)) {
              await put(`maps/${row.name}.${name}.png`, picturesFromTensor(map, [name])[0]!);
            }
          }
        },
      });
      return { view: { ...view, state: "done", error: null }, result: { ...summary, images, seconds: 0 }, files };
    } catch (error) {
      return { view: { ...view, state: "failed", error: { error: (error as Error).message, code: "format" } }, files };
    }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? "/", "http://here");
    const json = (status: number, body: object): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    if (!pathname.startsWith("/api")) {
      const file = pathname === "/" ? "index.html" : pathname;
      response.setHeader("content-type", types[extname(file)] ?? "application/octet-stream");
      response.end(await readFile(join(page, file)));
      return;
    }
    asked.push(`${request.method} ${pathname}`);
    if (wantsKey && request.headers.authorization !== `Bearer ${KEY}`) {
      return json(401, { error: "key: expected one of this gateway's, got another.", code: "unauthorised" });
    }
    if (pathname === "/api") {
      const model = { name: "fashion", source: "classifier", method: "diffpure", preset: "fast", prior: true };
      return json(200, {
        version: "0.1.0",
        models: [{ ...model, input: { channels: 1 }, labels: classifier.labels }],
        jobs: ["purify", "scan"],
        limits: { bodyBytes: 100_000 },
      });
    }
    if (pathname === "/api/jobs") return json(200, { jobs: [...jobs.values()].map(({ view }) => view) });
    if (request.method === "POST") {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const job = await start(JSON.parse(Buffer.concat(chunks).toString()));
      jobs.set(String(job.view["id"]), job);
      return json(202, { ...job.view, state: "waiting" });
    }
    const [, , , id = "", part, ...rest] = pathname.split("/");
    const job = jobs.get(id);
    if (job === undefined) return json(404, { error: `job "${id}": expected one that is kept here, got none such.` });
    if (request.method === "DELETE") {
      jobs.delete(id);
      response.writeHead(204).end();
    } else if (part === "events") {
      response.setHeader("content-type", "text/event-stream");
      response.write(`id: 1\nevent: progress\ndata: {"phase":"purify","done":0.5,"total":1}\n\n`);
      response.end(`id: 2\nevent: job\ndata: ${JSON.stringify(job.view)}\n\n`);
    } else if (part === "result") json(200, job.result ?? {});
    else if (rest.length === 0) {
      const files = [...job.files].map(([path, bytes]) => ({ path, bytes: bytes.length, link: `${pathname}/${path}` }));
      json(200, { files, total: files.length });
    } else response.setHeader("content-type", types[extname(pathname)] ?? "").end(job.files.get(rest.join("/")));
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    asked,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await prior.dispose();
      await classifier.dispose();
    },
  };
}
