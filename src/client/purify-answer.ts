/** @file What a gateway answers to a `purify` job, as far as a client relies on it. */
import { z } from "zod";
import { purifyRow, purifySummary } from "../results/purify-row.ts";

/** The document of a job. */
export const purifyAnswer = purifySummary.extend({ seconds: z.number(), images: z.array(purifyRow) });

/** The document of a job: what the command line prints. */
export type PurifyAnswer = z.infer<typeof purifyAnswer>;

/** One purified picture: its row, and the picture as PNG. */
export type PurifiedFile = PurifyAnswer["images"][number] & { readonly png: Uint8Array<ArrayBuffer> };

/** A job as the gateway shows it. */
export const jobView = z.looseObject({
  state: z.enum(["waiting", "running", "done", "failed", "cancelled"]),
  progress: z.object({ phase: z.string(), done: z.number(), total: z.number().nullable() }).nullable(),
  error: z.object({ error: z.string(), code: z.string() }).nullable(),
  links: z.object({ self: z.string(), events: z.string(), result: z.string(), files: z.string() }),
});

/** A job. */
export type JobView = z.infer<typeof jobView>;
