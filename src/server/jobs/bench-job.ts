/** @file The job `bench`: a plan of attacks and defences, run to its end. */
import { join } from "node:path";
import { z } from "zod";
import { writeWhole } from "../../node/write-whole.ts";
import type { JobWork } from "./job.ts";
import { type CommandLine, runCommand } from "./run-command.ts";

/** Characters of a plan's text. */
const MOST_TEXT = 1_000_000;

/** The body of a `bench`: a plan, or the text of its file. */
export const benchJobBody = z.strictObject({
  plan: z.union([z.record(z.string(), z.unknown()), z.string().max(MOST_TEXT)]),
});

/** Runs a plan. */
export function benchJob({ plan }: z.output<typeof benchJobBody>, command: CommandLine): JobWork {
  return async (context) => {
    const file = join(context.folder, "plan.yaml");
    // JSON is YAML.
    await writeWhole(file, typeof plan === "string" ? plan : JSON.stringify(plan));
    return await runCommand(command, ["bench", file], context);
  };
}
