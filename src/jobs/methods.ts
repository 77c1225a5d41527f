/** @file Every method with its options, presets and source, from the registries, as one plain-JSON document. */
import { z } from "zod";
import { attacks } from "../attacks/registry.ts";
import { lookUp } from "../core/names.ts";
import { inverters } from "../invert/registry.ts";
import { purifiers } from "../purify/registry.ts";
import { repairs } from "../repair/registry.ts";

/** A method. */
export interface MethodEntry {
  readonly name: string;
  readonly summary: string;
  readonly source: string;
  /** What it asks for; numbers are minima. */
  readonly needs: Readonly<Record<string, boolean | number>>;
  readonly presets: Readonly<Record<string, unknown>>;
  /** JSON Schema. */
  readonly options: Record<string, unknown>;
}

/** Methods by kind. Kinds that a later version may fill are there from the beginning. */
export interface MethodsDocument {
  readonly schema: "untrigger/methods@1";
  readonly attacks: readonly MethodEntry[];
  readonly purifiers: readonly MethodEntry[];
  readonly inverters: readonly MethodEntry[];
  readonly repairs: readonly MethodEntry[];
  readonly auditors: readonly MethodEntry[];
}

/** What a registry holds, as far as it is shown here. */
interface Listed extends Omit<MethodEntry, "options" | "needs" | "presets"> {
  readonly options: z.ZodObject;
  readonly needs: object;
  readonly presets: object;
}

/** All methods, or the one of a name. @throws OptionError for a name that there is not. */
export function methodsDocument(name?: string): MethodsDocument {
  const known: Readonly<Record<string, Listed>> = { ...attacks, ...purifiers, ...inverters, ...repairs };
  if (name !== undefined) lookUp("method", name, known);
  const among = (registry: Readonly<Record<string, Listed>>): MethodEntry[] =>
    Object.values(registry)
      .filter((entry) => name === undefined || entry.name === name)
      .map(entryOf);
  return {
    schema: "untrigger/methods@1",
    attacks: among(attacks),
    purifiers: among(purifiers),
    inverters: among(inverters),
    repairs: among(repairs),
    auditors: [],
  };
}

/** A method's options as JSON Schema of what may be written: options with defaults are optional. */
export function optionsSchema(options: z.ZodObject): Record<string, unknown> {
  return z.toJSONSchema(options, { io: "input", unrepresentable: "any" });
}

function entryOf({ name, summary, source, needs, presets, options }: Listed): MethodEntry {
  return { name, summary, source, needs: { ...needs }, presets: { ...presets }, options: optionsSchema(options) };
}
