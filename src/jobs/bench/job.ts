/**
 * @file The jobs of a bench as plain JSON: to train a model that cells share, and to measure one cell. A job says all that
 * determines its result, so that any worker on any machine that has the data can do it; its key is the hash of that.
 */
import { z } from "zod";
import { benchMethod, benchNetwork, type benchRow } from "../../results/bench-row.ts";
import { answerRules } from "../../results/purify-row.ts";
import { classifierRecipe } from "../training/recipe.ts";

/** Schema version of jobs and their results. A worker of another version must not touch them. */
export const JOB_SCHEMA = "untrigger/bench-job@1";

const key = z.string().regex(/^[0-9a-f]{64}$/);
const options = z.record(z.string(), z.unknown());
const seed = z.int().min(0);

/** Schema of {@link ModelJob}. */
export const modelJob = z.strictObject({
  schema: z.literal(JOB_SCHEMA),
  kind: z.literal("model"),
  key,
  /** The training data: the name or path that opens them, the first so many images, and the hash that they must have. */
  data: z.strictObject({ path: z.string(), images: z.int().min(1).nullable(), sha256: key }),
  /** What is planted, with complete options; `null` for a clean model. */
  attack: benchMethod.strict().nullable(),
  /** Key of the clean model that the attack looks at. */
  surrogate: key.nullable(),
  architecture: z.string(),
  options,
  recipe: classifierRecipe,
  seed,
});

/** To train a model. */
export type ModelJob = z.output<typeof modelJob>;

/** Images of a cell: of which split, how many, and the hash that they must have. */
const imageChoice = z.strictObject({ count: z.int().min(1), sha256: key });

const method = { name: z.string(), preset: z.string().nullable() };

/** Schema of {@link CellDefence}. `clean` are images of the validation split that a method may see, drawn by the seed. */
export const cellDefence = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("none"), name: z.literal("none"), preset: z.null() }),
  z.strictObject({
    kind: z.literal("purifier"),
    ...method,
    /** The options of each. */
    votes: z.array(options).min(1),
    answer: z.enum(answerRules),
  }),
  z.strictObject({ kind: z.literal("repair"), ...method, options, clean: imageChoice }),
  z.strictObject({
    kind: z.literal("inverter"),
    ...method,
    /** Option sets, run one after the other; of each source the most successful counts. */
    sets: z.array(options).min(1),
    classes: z.array(z.int().min(0)),
    clean: imageChoice,
  }),
  z.strictObject({
    kind: z.literal("scan"),
    name: z.literal("scan"),
    preset: z.null(),
    /** The folder of the references, and the hash that they must have. */
    references: z.strictObject({ path: z.string(), sha256: key }),
    inverters: z.array(z.strictObject({ name: z.string(), sets: z.array(options) })),
    falsePositiveRate: z.number(),
    clean: imageChoice,
  }),
]);

/** What stands against the attack of a cell. */
export type CellDefence = z.output<typeof cellDefence>;

/** Schema of {@link CellJob}. */
export const cellJob = z.strictObject({
  schema: z.literal(JOB_SCHEMA),
  kind: z.literal("cell"),
  key,
  data: z.strictObject({
    name: z.string(),
    /** What opens them: a name again, or a folder or file. */
    path: z.string(),
    split: z.enum(["validation", "test"]),
    /** Of the whole split. */
    sha256: key,
    images: imageChoice,
  }),
  /** Clean images of the validation split that set the threshold; `null` for no threshold. */
  calibration: z.strictObject({ images: imageChoice, falsePositiveRate: z.number() }).nullable(),
  /** Key of the model that is measured, and what it is where the bench trains it. */
  model: key,
  network: benchNetwork.nullable(),
  attack: benchMethod.strict(),
  /** `trigger`: the model's own. `evasion`: images are changed against the model. `none`: nothing is. */
  threat: z.enum(["trigger", "evasion", "none"]),
  defence: cellDefence,
  prior: z.strictObject({ path: z.string(), precision: z.enum(["f32", "int8"]), hash: z.string() }).nullable(),
  seed,
  batch: z.int().min(1),
  sheet: z.int().min(0),
  command: z.string(),
});

/** To measure a cell. */
export type CellJob = z.output<typeof cellJob>;

/** Schema of {@link BenchJob}. */
export const benchJob = z.discriminatedUnion("kind", [modelJob, cellJob]);

/** A job of a bench. */
export type BenchJob = z.output<typeof benchJob>;

/** Why there is no result, as result rows say it. */
export interface JobError {
  readonly code: string;
  readonly message: string;
}

/** What a worker says when it is done; JSON but for the bytes of the sheet. */
export type JobResult =
  | {
      readonly kind: "cell";
      readonly key: string;
      readonly row: z.output<typeof benchRow>;
      readonly sheet?: Uint8Array | undefined;
    }
  | { readonly kind: "model"; readonly key: string }
  /** There is no model, or no worker that survives the job. */
  | { readonly kind: "failed"; readonly key: string; readonly error: JobError };
