/**
 * @file What a plan says: attacks against defences on some data, as grids. This file knows the form; whether names,
 * options and combinations exist is found out where a plan is expanded into cells.
 */
import { z } from "zod";
import { unknownName } from "../core/names.ts";
import { answerRules } from "../results/purify-row.ts";

/** Version of the form below. */
export const PLAN_SCHEMA = "untrigger/plan@1";

/** The longest list that a plan may hold anywhere, and so the most copies of anything. */
const LONGEST = 10_000;

/** A section of a plan: an object that knows its keys, and guesses the typo. */
function section<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? unknownName("key", String(issue["keys"]?.[0]), Object.keys(shape)).message
        : undefined,
  });
}

const name = z.string().min(1).max(200);
const options = z.record(z.string(), z.unknown());

const modelShape = {
  /** A name of `architectures`, and its options. */
  architecture: name.optional(),
  options: options.optional(),
  /** Options of the training. */
  recipe: options.optional(),
  /** Images that are learned from, the first ones of the training split; all when left out. */
  images: z.int().min(1).max(1e8).optional(),
  /** Of poison, weights and order; the cell's seed when left out, so that every seed has a model of its own. */
  seed: z.int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
} as const;

const modelSection = section(modelShape);

/** How models are trained, as far as a plan says. */
export type ModelPlan = z.output<typeof modelSection>;

const attackSection = section({
  /** A name of `attacks`, or `none` for a model that nobody attacked. */
  name: name.optional(),
  preset: name.optional(),
  options: options.optional(),
  /** What is different about the training of this one. */
  model: modelSection.optional(),
  /** In place of all that: the folder of a model with its trigger. */
  folder: z.string().min(1).max(4096).optional(),
}).superRefine((attack, context) => {
  if ((attack.name === undefined) === (attack.folder === undefined)) {
    context.addIssue({ code: "custom", message: "expected either a name or a folder" });
  }
  const extra = (["preset", "options", "model"] as const).find((key) => attack[key] !== undefined);
  if (attack.folder !== undefined && extra !== undefined) {
    context.addIssue({ code: "custom", message: `expected nothing beside folder, got ${extra}` });
  }
});

/** An attack as a plan names it. */
export type AttackPlan = z.output<typeof attackSection>;

const purifierSection = section({
  /** A name of `purifiers`, or `none`. */
  name,
  preset: name.optional(),
  options: options.optional(),
  votes: z.int().min(1).optional(),
  precision: z.enum(["f32", "int8"]).optional(),
  /** `purified`, when left out: what the model says of purified images. `verdict`: what it says of images that are not
   * flagged as they are, and of the others without the class that they came as. */
  answer: z.enum(answerRules).optional(),
});

/** A purifier as a plan names it. */
export type PurifierPlan = z.output<typeof purifierSection>;

/** Clean images that a method may see: of the validation split, drawn by the seed, none of them measured. */
const cleanImages = z.int().min(1).max(1e6).optional();

const repairSection = section({
  /** A name of `repairs`. */
  name,
  preset: name.optional(),
  options: options.optional(),
  cleanImages,
});

/** A repair as a plan names it. */
export type RepairPlan = z.output<typeof repairSection>;

const inverterSection = section({
  /** A name of `inverters`. */
  name,
  /** The settings that a scan confirms with when left out. */
  preset: name.optional(),
  options: options.optional(),
  /** Classes that are inverted; all when left out. */
  classes: z.array(z.int().min(0)).min(1).max(LONGEST).optional(),
  cleanImages,
});

/** An inverter as a plan names it. */
export type InverterPlan = z.output<typeof inverterSection>;

const scanSection = section({
  /** The folder of the clean models to compare with. */
  references: z.string().min(1).max(4096),
  /** Names of `inverters` for the classes that stand out. */
  inverters: z.array(name).min(1).max(100).optional(),
  /** Share of clean models that may be called backdoored. */
  falsePositiveRate: z.number().gt(0).lt(1).optional(),
  cleanImages,
});

/** A scan as a plan names it. */
export type ScanPlan = z.output<typeof scanSection>;

/** Names may stand for sections that hold nothing else. */
function orName<Schema extends z.ZodType>(schema: Schema): z.ZodPreprocess<Schema> {
  return z.preprocess((value) => (typeof value === "string" ? { name: value } : value), schema);
}

const gridShape = {
  /** A name of `data`, or the path of a folder or file with pictures and labels. */
  data: z.string().min(1).max(4096).optional(),
  /** `validation` for choices, `test` for tables. */
  split: z.enum(["validation", "test"]).optional(),
  /** Images of a cell, clean and attacked each: the same ones in every cell of these data. */
  images: z.int().min(1).max(1e8).optional(),
  /** Clean images of the validation split that the threshold of suspicion rests on; none for 0. */
  calibration: z.int().min(0).max(1e8).optional(),
  /** Share of clean images that may be flagged. */
  falsePositiveRate: z.number().gt(0).lt(1).optional(),
  seeds: z.array(z.int().min(0).max(Number.MAX_SAFE_INTEGER)).min(1).max(LONGEST).optional(),
  model: modelSection.optional(),
  /** Folder or file of the diffusion model, for columns that need one. */
  prior: z.string().min(1).max(4096).optional(),
  attacks: z.array(orName(attackSection)).min(1).max(LONGEST).optional(),
  /** The columns. A list that is empty takes back the one above the grids. */
  purifiers: z.array(orName(purifierSection)).max(LONGEST).optional(),
  repairs: z.array(orName(repairSection)).max(LONGEST).optional(),
  inverters: z.array(orName(inverterSection)).max(LONGEST).optional(),
  scans: z.array(scanSection).max(LONGEST).optional(),
} as const;

const gridSection = section(gridShape);

/** Every attack against every column with every seed. What is missing stands above the grids. */
export type GridPlan = z.output<typeof gridSection>;

/** Schema of a plan. */
export const planSchema = section({
  schema: z.literal(PLAN_SCHEMA, { error: `expected "${PLAN_SCHEMA}"` }).optional(),
  /** Of the page. */
  title: z.string().min(1).max(300).optional(),
  ...gridShape,
  /** Pictures on the sheet of a cell; none for 0. */
  sheet: z.int().min(0).max(64).default(4),
  /** Images in one run; results do not depend on it. */
  batch: z.int().min(1).max(4096).default(64),
  /** Grids that differ from what stands above them; when left out, what stands there is the one grid. */
  grids: z.array(gridSection).min(1).max(LONGEST).optional(),
});

/** A plan as it is written. */
export type Plan = z.output<typeof planSchema>;
