/** @file The plan of `npm run bench -- priors`: which diffusion priors are trained, and what each is for. */
import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { z } from "zod";

/** Options of a verb, as `--set` takes them. */
const settings = z.record(z.string(), z.union([z.string(), z.number()]));

const planned = z.strictObject({
  /** Its folder, under the results. */
  name: z.string(),
  /** The prior that learns on: another one's name, or a folder; a fresh net where left out. */
  from: z.string().optional(),
  /** The data set's name; Fashion-MNIST at 14x14 where left out. */
  data: z.string().optional(),
  /** Only of a backdoored one. */
  trigger: z.string().optional(),
  target: z.string().optional(),
  rate: z.number().optional(),
  seed: z.int(),
  /**
   * `evaluation`: the audit is judged by it. `development`: it was looked at before the audit's rule was fixed.
   * `consequence`: purifiers are run with it.
   */
  use: z.enum(["evaluation", "development", "consequence"]).default("evaluation"),
  set: settings.default({}),
  /** Its channels are disturbed, and the target of the prior of this name is looked for. */
  pruned: z.string().optional(),
});

const schema = z.strictObject({
  small: z.strictObject({ clean: settings, tuned: settings }),
  priors: z.array(planned),
});

/** One prior of the plan. */
export type PlannedPrior = z.output<typeof planned>;
/** The whole plan. */
export type PriorsPlan = z.output<typeof schema>;

/** Reads a plan. @throws zod's error for one that is wrong. */
export async function readPriorsPlan(path: string): Promise<PriorsPlan> {
  return schema.parse(parse(await readFile(path, "utf8")));
}

/** Whether a prior of the plan has a backdoor. */
export function isBackdoored({ trigger }: Pick<PlannedPrior, "trigger">): boolean {
  return trigger !== undefined;
}
