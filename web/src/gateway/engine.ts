/**
 * @file A gateway as an engine. One job a picture: a refusal concerns one picture then, and a picture is forgotten by the
 * gateway as soon as its result is here.
 */
import { evidenceLinks, type JobFiles } from "untrigger/client";
import type { PurifyRow, PurifySummary } from "untrigger/results";
import type { Engine, GivenPicture, PurifiedPng } from "../engine.ts";
import { type Api, type GatewayFacts, type Job, Refused, type ServedModel } from "./api.ts";
import { followJob } from "./follow-job.ts";
import { jobBody } from "./job-body.ts";

/** What a job ends with: the document of `untrigger purify --json`. */
type Document = PurifySummary & { readonly images: readonly PurifyRow[] };

/** Opens a model of a gateway. */
export function createGatewayEngine(api: Api, { limits }: GatewayFacts, model: ServedModel): Engine {
  const { channels } = model.input;
  return {
    open: async () => ({
      place: location.host,
      labels: model.labels,
      channels: channels === 1 || channels === 3 ? channels : undefined,
    }),
    async purify(pictures, request, listener, signal) {
      const summaries: PurifySummary[] = [];
      for (const [i, picture] of pictures.entries()) {
        signal.throwIfAborted();
        const progress = (share: number): void => listener.progress("Purifying", i + share, pictures.length);
        progress(0);
        try {
          const sent = { title: picture.name, name: jobName(picture), file: picture.file };
          const body = await jobBody(picture.name, { model: model.name, request }, [sent], limits);
          const { purified, summary } = await runJob(api, { picture, body, progress, signal });
          summaries.push(summary);
          listener.picture(purified);
        } catch (error) {
          signal.throwIfAborted();
          // Busy, no longer allowed, down: the other pictures would be told the same.
          if (!isAboutPicture(error)) throw error;
          listener.refused(picture.id, (error as Error).message.replace(jobName(picture), picture.name));
        }
      }
      return together(summaries);
    },
    close: () => undefined,
  };
}

/** Whether a refusal concerns this picture alone. */
function isAboutPicture(error: unknown): boolean {
  return !(error instanceof Refused) ? !(error instanceof TypeError) : [400, 413, 415, 422].includes(error.status);
}

/** A name that every file system takes. */
function jobName({ id }: GivenPicture): string {
  return `picture-${id}`;
}

async function runJob(
  api: Api,
  {
    picture,
    body,
    progress,
    signal,
  }: {
    readonly picture: GivenPicture;
    readonly body: string;
    readonly progress: (share: number) => void;
    readonly signal: AbortSignal;
  },
): Promise<{ purified: PurifiedPng; summary: PurifySummary }> {
  const { id } = await api.json<Job>("jobs/purify", { method: "POST", body, signal });
  try {
    await untilDone(api, id, progress, signal);
    const { images, ...summary } = await api.json<Document>(`jobs/${id}/result`, { signal });
    const [row] = images;
    if (row === undefined) throw new Error(`${picture.name}: expected a result of the gateway, got none.`);
    const files = `jobs/${id}/files`;
    const png = async (path: string): Promise<Blob> => await (await api.ask(path, { signal })).blob();
    const name = jobName(picture);
    const evidence = Object.entries(evidenceLinks(await api.json<JobFiles>(files, { signal }), name));
    const [input, output, ...maps] = await Promise.all([
      png(`${files}/inputs/${name}.png`),
      png(`${files}/images/${name}.png`),
      // Links are the gateway's own; the page may stand below another's path.
      ...evidence.map(async ([map, link]) => [map, await png(link.replace(/^\/api\//, ""))] as const),
    ]);
    const { width, height } = await createImageBitmap(output);
    const own = { ...row, name: picture.name, output: `images/${picture.name}.png` };
    return {
      purified: { id: picture.id, row: own, width, height, input, output, maps: Object.fromEntries(maps) },
      summary,
    };
  } finally {
    // Also what stops a job that is no longer wanted. One that cannot be forgotten now is within an hour.
    await api.ask(`jobs/${id}`, { method: "DELETE" }).catch(() => undefined);
  }
}

async function untilDone(api: Api, id: string, progress: (share: number) => void, signal: AbortSignal): Promise<void> {
  let last: Job | undefined;
  for await (const job of followJob(api, { id }, signal)) {
    if (job.progress !== null) progress(job.progress.done / (job.progress.total ?? 1));
    last = job;
  }
  if (last?.state === "cancelled") throw new Refused(503, "The gateway cancelled the job.");
  if (last?.state === "failed") throw new Error(last.error?.error ?? "The gateway's job failed without a reason.");
}

/** One run of many jobs: what was counted is added, the rest is the same in all. */
function together(summaries: readonly PurifySummary[]): PurifySummary | undefined {
  const [first] = summaries;
  if (first === undefined) return undefined;
  const sum = (count: (summary: PurifySummary) => number | null): number =>
    summaries.reduce((total, summary) => total + (count(summary) ?? 0), 0);
  return {
    ...first,
    count: sum(({ count }) => count),
    flagged: first.flagged === null ? null : sum(({ flagged }) => flagged),
    changed: first.changed === null ? null : sum(({ changed }) => changed),
    networkCalls: sum(({ networkCalls }) => networkCalls),
    classifierCalls: sum(({ classifierCalls }) => classifierCalls),
  };
}
