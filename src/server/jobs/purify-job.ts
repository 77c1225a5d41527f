/** @file The job `purify`: pictures through a model's prior and classifier, as the command line does it. */
import { join } from "node:path";
import { z } from "zod";
import { lookUp } from "../../core/names.ts";
import { decodePicture, encodePng } from "../../images/node.ts";
import { type Picture, picturesFromTensor } from "../../images/picture.ts";
import { evidenceSheet } from "../../images/sheet.ts";
import { type PurifiedPicture, purifyPictures, purifyRequest } from "../../jobs/purify.ts";
import { planVotes } from "../../jobs/votes.ts";
import { readCalibration } from "../../node/read-calibration.ts";
import { writeWhole } from "../../node/write-whole.ts";
import { purifiers } from "../../purify/registry.ts";
import type { PurifyRow } from "../../results/purify-row.ts";
import type { ServedModel } from "../served-model.ts";
import type { JobWork } from "./job.ts";
import { type JobPicture, jobImage } from "./job-images.ts";

const { shape } = purifyRequest;
/** A request in which nothing has a default of its own. */
const overrides = z
  .strictObject({
    ...shape,
    seed: shape.seed.unwrap(),
    batch: shape.batch.unwrap(),
    fpr: shape.fpr.unwrap(),
    fit: shape.fit.unwrap(),
    answer: shape.answer.unwrap(),
  })
  .partial();

/** The body of a request; what `request` leaves out is the model's own. */
export const purifyJobBody = z.strictObject({
  model: z.string().optional(),
  request: overrides.prefault({}),
  images: z.array(jobImage),
});

/** Pictures of one batch while somebody waits for the first results. */
const BATCH = 16;

/**
 * The work of one request.
 * @throws OptionError for a method, preset or option that there is not, at once.
 */
export function purifyJob(
  asked: z.output<typeof purifyJobBody>["request"],
  pictures: readonly JobPicture[],
  model: ServedModel,
  maxPixels: number,
): JobWork {
  const { config, prior, classifier } = model;
  // Options belong to a method: another one starts from its own.
  const own = (asked.method ?? config.method) === config.method ? config : undefined;
  const request = {
    preset: own?.preset,
    options: own?.options,
    votes: own?.votes,
    seed: config.seed,
    fpr: config.fpr,
    fit: config.fit,
    channels: config.channels,
    answer: config.answer,
    ...asked,
    method: asked.method ?? config.method,
    batch: Math.min(asked.batch ?? BATCH, BATCH),
  };
  planVotes(lookUp("purifier", request.method, purifiers), request);

  return async ({ files, signal, progress, image }) => {
    const started = performance.now();
    const rows: PurifyRow[] = [];
    const summary = await purifyPictures(request, {
      pictures: decoded(pictures, maxPixels),
      total: pictures.length,
      prior,
      classifier,
      calibrationFile: config.prior === undefined ? undefined : await readCalibration(config.prior),
      signal,
      progress: (phase, done, total) => progress({ phase, done, total: total ?? null }),
      async sink(results) {
        const written = await Promise.all(results.map((result) => writePictures(files, result)));
        for (const [i, { row }] of results.entries()) {
          rows.push(row);
          image(row, written[i] ?? []);
        }
      },
    });
    return { ...summary, seconds: (performance.now() - started) / 1000, images: rows };
  };
}

async function* decoded(pictures: readonly JobPicture[], maxPixels: number): AsyncGenerator<Picture> {
  for (const { name, bytes } of pictures) yield await decodePicture(bytes, name, { maxPixels });
}

/** @returns the paths of the files. */
async function writePictures(folder: string, { input, output, evidence, row }: PurifiedPicture): Promise<string[]> {
  const maps = Object.entries(evidence).map(([name, map]): [string, Picture] => [
    `maps/${row.name}.${name}.png`,
    picturesFromTensor(map, [row.name])[0] as Picture,
  ]);
  const files: readonly [string, Picture][] = [
    [row.output, output],
    [`inputs/${row.name}.png`, input],
    [`evidence/${row.name}.png`, evidenceSheet(input, output, evidence)],
    ...maps,
  ];
  for (const [path, picture] of files) await writeWhole(join(folder, path), await encodePng(picture));
  return files.map(([path]) => path);
}
