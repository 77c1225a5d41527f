/** @file The job `scan`: is there a backdoor in a classifier that runs here? */
import { z } from "zod";
import { OptionError } from "../../core/errors.ts";
import type { OwnClassifier } from "../config.ts";
import type { JobWork } from "./job.ts";
import { type JobPicture, jobImage } from "./job-images.ts";
import { type CommandLine, commandArguments, commandOptions, runCommand, writeGiven } from "./run-command.ts";

/** The body of a `scan`. */
export const scanJobBody = z.strictObject({
  model: z.string().optional(),
  request: z
    .strictObject({
      method: z.array(z.string()).min(1).max(16).optional(),
      preset: z.string().optional(),
      options: commandOptions.optional(),
      classes: z.array(z.number().int().min(0)).max(1000).optional(),
      fpr: z.number().gt(0).lt(1).optional(),
      seed: z.number().int().min(0).optional(),
      /** Seconds. */
      budget: z.number().positive().max(86_400).optional(),
    })
    .prefault({}),
  images: z.array(jobImage),
});

/**
 * Scans a classifier's file with the pictures of a request, as its configuration reads it and with the references there.
 * @throws OptionError for names of options that are none, and for labels of some pictures but not of all.
 */
export function scanJob(
  { request }: z.output<typeof scanJobBody>,
  pictures: readonly JobPicture[],
  {
    command,
    name,
    classifier,
    prior,
  }: {
    readonly command: CommandLine;
    /** Of the model: clients know no paths. */
    readonly name: string;
    readonly classifier: OwnClassifier;
    readonly prior: string | undefined;
  },
): JobWork {
  const { method, preset, options, classes, fpr, seed, budget } = request;
  const { path, mean, std, layout, scores, references } = classifier;
  const list = (values: OwnClassifier["mean"]): string | undefined =>
    values === undefined ? undefined : [values].flat().join(",");
  const args = commandArguments(
    {
      "--method": method?.join(","),
      "--preset": preset,
      "--classes": classes?.join(","),
      "--fpr": fpr,
      "--seed": seed,
      "--budget": budget,
      "--prior": prior,
      "--references": references,
      "--mean": list(mean),
      "--std": list(std),
      "--layout": layout,
      "--scores": scores,
      "--title": `Scan of ${name}`,
    },
    options,
  );
  const known = pictures.filter(({ label }) => label !== undefined).length;
  if (known > 0 && known < pictures.length) {
    throw new OptionError(`images: expected a label for all ${pictures.length} or for none, got ${known}.`);
  }
  return async (context) => {
    const images = await writeGiven(context, pictures);
    return await runCommand(command, ["scan", path, `--images=${images}`, ...args], context);
  };
}
