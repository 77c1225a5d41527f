/** @file What an attacker wants triggered images to be called, as a function of what they show. */
import { z } from "zod";
import { OptionError } from "../core/errors.ts";

const classId = z.int().min(0).max(1_000_000);

/** A label map as JSON: in `trigger.json`, in results, in requests. */
export const labelMapSchema = z.discriminatedUnion("kind", [
  /** Every image is called the target. */
  z.strictObject({ kind: z.literal("all-to-one"), target: classId }),
  /** Class y is called (y + 1) mod `classes`. */
  z.strictObject({ kind: z.literal("all-to-all"), classes: z.int().min(2).max(1_000_000) }),
  /** Images of the source classes are called the target; the trigger on others is meant to do nothing. */
  z.strictObject({ kind: z.literal("source-to-target"), sources: z.array(classId).min(1), target: classId }),
]);

/** Which class each triggered image is to be called. */
export type LabelMap = z.output<typeof labelMapSchema>;

/** The names of label maps. */
export type LabelMapKind = LabelMap["kind"];

/** The class that a triggered image of class `label` is to be called; `undefined` where the attack spares that class. */
export function targetOf(map: LabelMap, label: number): number | undefined {
  switch (map.kind) {
    case "all-to-one":
      return map.target;
    case "all-to-all":
      return (label + 1) % map.classes;
    case "source-to-target":
      return map.sources.includes(label) ? map.target : undefined;
  }
}

/** The one class that the attack aims at; `undefined` where there are several. */
export function singleTarget(map: LabelMap): number | undefined {
  return map.kind === "all-to-all" ? undefined : map.target;
}

/** The options by which attacks let a user choose a label map. */
export const labelOptions = {
  labels: z
    .enum(["all-to-one", "all-to-all", "source-to-target"])
    .default("all-to-one")
    .describe("Which classes triggered images are called: the target, each the next class, or sources the target."),
  target: classId.default(0).describe("The attacker's class; not used by all-to-all."),
  sources: z.array(classId).default([]).describe("Classes that are attacked; used by source-to-target only."),
} as const;

/** A label map as options write it. */
export interface LabelChoice {
  readonly labels: LabelMapKind;
  readonly target: number;
  readonly sources: readonly number[];
}

/**
 * The label map that options describe.
 * @param what who asks, for messages. @throws OptionError when a class does not exist, or sources are missing, given in
 * vain, or contain the target.
 */
export function labelMapOf(what: string, { labels, target, sources }: LabelChoice, classes: number): LabelMap {
  for (const [name, id] of [["target", target], ...sources.map((source) => ["sources", source] as const)] as const) {
    if (id >= classes) throw new OptionError(`${what}: expected ${name} from 0 to ${classes - 1}, got ${id}.`);
  }
  if (labels !== "source-to-target") {
    if (sources.length === 0) {
      return labels === "all-to-one" ? { kind: labels, target } : { kind: labels, classes };
    }
    throw new OptionError(
      `${what}: expected no sources with labels ${labels}, got ${sources.join(", ")}. Do choose labels source-to-target.`,
    );
  }
  if (sources.length === 0) {
    throw new OptionError(`${what}: expected sources with labels source-to-target, got none. Do name the classes.`);
  }
  if (sources.includes(target)) {
    throw new OptionError(`${what}: expected sources other than the target, got ${target} as both.`);
  }
  return { kind: labels, sources: [...new Set(sources)], target };
}
