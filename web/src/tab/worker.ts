/** @file The worker of the tab: loads what it needs once, then purifies what it is sent. */

import { type Picture, picturesFromTensor } from "untrigger/images";
import { decodePicture, encodePng } from "untrigger/images/web";
import { type PurifiedPicture, type PurifyRequest, preparePicture, purifyPictures } from "untrigger/jobs";
import type { GivenPicture, PurifiedPng } from "../engine.ts";
import { checkSize, pictureLimits } from "../limits.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { type Assets, openAssets } from "./open-assets.ts";

/** A worker's global scope, as far as it is used; TypeScript's types of pages and workers exclude each other. */
const scope = globalThis as unknown as {
  onmessage: (event: { readonly data: ToWorker }) => void;
  postMessage(message: FromWorker): void;
};

let assets: Promise<Assets> | undefined;
let running: AbortController | undefined;

const tell = (message: FromWorker): void => scope.postMessage(message);
const progress = (what: string, done: number, total: number): void => tell({ kind: "progress", what, done, total });
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

scope.onmessage = ({ data: message }) => {
  if (message.kind === "cancel") running?.abort();
  else
    (message.kind === "open" ? open(message) : purify(message)).catch((error: unknown) => {
      tell({ kind: "failed", message: messageOf(error) });
    });
};

async function open({ config, base, device }: ToWorker & { kind: "open" }): Promise<void> {
  assets = openAssets(config, { base, device }, progress);
  tell({ kind: "opened", facts: (await assets).facts });
}

async function purify({ pictures, request }: ToWorker & { kind: "purify" }): Promise<void> {
  if (assets === undefined) throw new Error("internal: expected the worker to be opened first.");
  const { prior, classifier, calibrationFile, needs } = await assets;
  running = new AbortController();
  let refused = 0;
  const ids = new Map<string, number>();
  async function* prepared(): AsyncGenerator<Picture> {
    for (const given of pictures) {
      const picture = await prepare(given, needs, request).catch((error: unknown) => {
        refused += 1;
        tell({ kind: "refused", id: given.id, message: messageOf(error) });
      });
      if (picture === undefined) continue;
      ids.set(picture.name, given.id);
      yield picture;
    }
  }
  const summary = await purifyPictures(request, {
    pictures: prepared(),
    total: pictures.length,
    prior,
    classifier,
    calibrationFile,
    signal: running.signal,
    progress: (_, done) => progress("Purifying", done + refused, pictures.length),
    sink: async (results) => {
      for (const result of results) {
        tell({ kind: "picture", picture: await encode(ids.get(result.row.name) ?? -1, result) });
      }
    },
  });
  tell({ kind: "done", summary });
}

/** Decodes a picture and makes it fit; the job would do the latter too, but stop at the first that does not. */
async function prepare({ name, file }: GivenPicture, needs: Assets["needs"], request: PurifyRequest): Promise<Picture> {
  checkSize(name, file);
  const bytes = new Uint8Array(await file.arrayBuffer());
  return preparePicture(await decodePicture(bytes, name, pictureLimits), needs, request);
}

async function encode(id: number, { row, input, output, evidence }: PurifiedPicture): Promise<PurifiedPng> {
  const png = async (picture: Picture): Promise<Blob> =>
    new Blob([new Uint8Array(await encodePng(picture))], { type: "image/png" });
  const maps: Record<string, Blob> = {};
  for (const [name, map] of Object.entries(evidence)) {
    for (const picture of picturesFromTensor(map, [name])) maps[name] = await png(picture);
  }
  const { width, height } = output;
  return { id, row, width, height, input: await png(input), output: await png(output), maps };
}
