/** @file The job `audit`: does the prior of a model behave like one with a backdoor? */
import { z } from "zod";
import type { JobWork } from "./job.ts";
import { type JobPicture, jobImage } from "./job-images.ts";
import { type CommandLine, commandArguments, commandOptions, runCommand, writeGiven } from "./run-command.ts";

/** The body of an `audit`. */
export const auditJobBody = z.strictObject({
  model: z.string().optional(),
  request: z
    .strictObject({
      options: commandOptions.optional(),
      fpr: z.number().gt(0).lt(1).optional(),
      seed: z.number().int().min(0).optional(),
    })
    .prefault({}),
  /** Clean ones, to disturb channels with; not needed for the verdict. */
  images: z.array(jobImage.omit({ label: true })).optional(),
});

/** More classes than a data set may have. */
const CLASSES = 65_536;

/**
 * Audits a prior, with the references of the configuration and the pictures of a request.
 * @throws OptionError for names of options that are none.
 */
export function auditJob(
  { request: { options, fpr, seed } }: z.output<typeof auditJobBody>,
  pictures: readonly JobPicture[],
  {
    command,
    name,
    prior,
    references,
  }: {
    readonly command: CommandLine;
    /** Of the model: clients know no paths. */
    readonly name: string;
    readonly prior: string;
    readonly references: string | undefined;
  },
): JobWork {
  const title = `Audit of the prior of ${name}`;
  const args = commandArguments(
    { "--fpr": fpr, "--seed": seed, "--references": references, "--title": title },
    options,
  );
  return async (context) => {
    // A class each: of such none is kept back for tests, so that all are looked at.
    const given = pictures.map(({ bytes }, i) => ({ bytes, label: i % CLASSES }));
    const images = given.length === 0 ? [] : [`--images=${await writeGiven(context, given)}`];
    return await runCommand(command, ["audit", prior, ...images, ...args], context);
  };
}
