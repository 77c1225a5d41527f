/** @file The job `bench`: a plan of attacks and defences, run to its end. */
import { join } from "node:path";
import { z } from "zod";
import { writeWhole } from "../../node/write-whole.ts";
import type { JobWork } from "./job.ts";
import { type CommandLine, runCommand } from "./run-command.ts";

/** The body of a `bench`. */
export const benchJobBody = z.strictObject({ plan: z.record(z.string(), z.unknown()) });

/** Runs a plan. */
export function benchJob({ plan }: z.output<typeof benchJobBody>, command: CommandLine): JobWork {
  return async (context) => {
    const file = join(context.folder, "plan.yaml");
    // JSON is YAML.
    await writeWhole(file, JSON.stringify(plan));
    return await runCommand(command, ["bench", file], context);
  };
}
