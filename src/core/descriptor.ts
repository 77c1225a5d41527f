/** @file What every method (purifier, attack, inverter…) is to the rest of the house: plain data plus `create`. */
import type { z } from "zod";
import { OptionError } from "./errors.ts";
import { nearestName } from "./names.ts";

/**
 * A method as data. From it come the command line's help, HTTP parameters, JSON Schema, table rows and contract tests.
 * Nothing heavy happens before `create`.
 */
export interface Descriptor<Options extends z.ZodObject, Context, Instance> {
  /** kebab-case, the paper's own name. */
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  /** The paper or repository. */
  readonly source: string;
  /** Every option with a default, a range and a description. */
  readonly options: Options;
  /** Builds what is slow (graphs, sessions) once; the instance only runs. */
  create(options: z.output<Options>, context: Context): Promise<Instance>;
}

/** The preset of a method where nobody names one: `recommended` where it has that, else `paper`. */
export function defaultPreset({ presets }: { readonly presets: object }): string {
  return "recommended" in presets ? "recommended" : "paper";
}

/**
 * Checks raw options against a descriptor's schema.
 * @throws OptionError naming the option, what was expected and, for an unknown name, the nearest known one.
 */
export function parseOptions<Options extends z.ZodObject>(
  descriptor: { readonly name: string; readonly options: Options },
  raw: Readonly<Record<string, unknown>>,
): z.output<Options> {
  const result = descriptor.options.strict().safeParse(raw);
  if (result.success) return result.data as z.output<Options>;
  const known = Object.keys(descriptor.options.shape);
  const sentences = result.error.issues.map((issue) => {
    if (issue.code === "unrecognized_keys") {
      const key = issue.keys[0] ?? "";
      const guess = nearestName(key, known);
      const hint = guess === undefined ? "" : ` Did you mean "${guess}"?`;
      return `unknown option "${key}".${hint} Known: ${known.join(", ") || "none"}`;
    }
    return `option "${issue.path.join(".")}": ${issue.message}`;
  });
  throw new OptionError(`${descriptor.name}: ${sentences.join("; ")}.`);
}
