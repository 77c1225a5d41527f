/** @file What a gateway answers to a `purify` job, as far as a client relies on it. */
import { z } from "zod";
import { purifyRow, purifySummary } from "../results/purify-row.ts";

/** The document of a job. */
export const purifyAnswer = purifySummary.extend({ seconds: z.number(), images: z.array(purifyRow) });

/** The document of a job: what the command line prints. */
export type PurifyAnswer = z.infer<typeof purifyAnswer>;

/** One purified picture: its row, the picture as PNG, and its evidence where that was asked for: grey maps by name. */
export type PurifiedFile = PurifyAnswer["images"][number] & {
  readonly png: Uint8Array<ArrayBuffer>;
  readonly maps: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
};

/** What a gateway answers to `GET /api/jobs/ID/files`: the first ten thousand files by path, and how many there are. */
export const jobFiles = z.object({
  files: z.array(z.object({ path: z.string(), bytes: z.number(), link: z.string() })),
  total: z.number(),
});

/** The files of a job's result. */
export type JobFiles = z.infer<typeof jobFiles>;

/**
 * The evidence of one picture among the files of a job.
 * @param name of its row. @returns links by the map's name.
 */
export function evidenceLinks({ files }: JobFiles, name: string): Record<string, string> {
  const start = `maps/${name}.`;
  // What follows is one word: "a.b" is another picture than "a".
  const maps = files.flatMap(({ path, link }): [string, string][] => {
    const map = path.startsWith(start) ? /^([\w-]+)\.png$/.exec(path.slice(start.length))?.[1] : undefined;
    return map === undefined ? [] : [[map, link]];
  });
  return Object.fromEntries(maps);
}

/** A job as the gateway shows it. */
export const jobView = z.looseObject({
  state: z.enum(["waiting", "running", "done", "failed", "cancelled"]),
  progress: z.object({ phase: z.string(), done: z.number(), total: z.number().nullable() }).nullable(),
  error: z.object({ error: z.string(), code: z.string() }).nullable(),
  links: z.object({ self: z.string(), events: z.string(), result: z.string(), files: z.string() }),
});

/** A job. */
export type JobView = z.infer<typeof jobView>;
