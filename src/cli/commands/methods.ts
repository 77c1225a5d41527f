/** @file `untrigger methods [NAME]`: every method with its options, presets and source, from the registries. */
import type { Command } from "commander";
import type { z } from "zod";
import { lookUp } from "../../core/names.ts";
import { purifiers } from "../../purify/registry.ts";
import type { Console } from "../console.ts";
import { addCommonFlags, type CommonFlags } from "../flags.ts";
import { optionsSchema } from "../settings.ts";
import { formatTable } from "../table.ts";

/** A method as `--json` prints it. */
interface MethodEntry {
  readonly name: string;
  readonly summary: string;
  readonly source: string;
  readonly needs: Readonly<Record<string, boolean>>;
  readonly presets: Readonly<Record<string, unknown>>;
  /** JSON Schema. */
  readonly options: Record<string, unknown>;
}

/** What a registry holds, as far as it is shown here. */
interface Listed extends Omit<MethodEntry, "options"> {
  readonly options: z.ZodObject;
}

/** Adds the verb to the program. */
export function defineMethods(command: Command, console: Console): void {
  addCommonFlags(command.argument("[name]", "one method")).action((name: string | undefined, flags: CommonFlags) => {
    const known: Readonly<Record<string, Listed>> = purifiers;
    const entries = (name === undefined ? Object.values(known) : [lookUp("method", name, known)]).map(entryOf);
    if (flags.json === true) console.out(`${JSON.stringify(documentOf(entries), undefined, 2)}\n`);
    else if (name === undefined) console.out(listOf(entries));
    else console.out(entries.map(detailsOf).join("\n"));
  });
}

function entryOf({ name, summary, source, needs, presets, options }: Listed): MethodEntry {
  return { name, summary, source, needs, presets, options: optionsSchema(options) };
}

/** Kinds of methods that a later version may fill are there from the beginning. */
function documentOf(entries: readonly MethodEntry[]): object {
  return {
    schema: "untrigger/methods@1",
    attacks: [],
    purifiers: entries,
    inverters: [],
    repairs: [],
    auditors: [],
  };
}

function listOf(entries: readonly MethodEntry[]): string {
  const rows = entries.map(({ name, summary, presets }) => [name, Object.keys(presets).join(","), summary]);
  return `${formatTable([["purifier", "presets", "what it does"], ...rows])}\nDetails: untrigger methods NAME\n`;
}

function detailsOf({ name, summary, source, needs, presets, options }: MethodEntry): string {
  const needed = Object.keys(needs).filter((asset) => needs[asset] === true);
  const facts = [
    ["source", source],
    ["needs", needed.length === 0 ? "nothing" : needed.map((asset) => `--${asset}`).join(" and ")],
    ...Object.entries(presets).map(([preset, votes]) => [`preset ${preset}`, describePreset(votes)]),
  ];
  const properties = (options["properties"] ?? {}) as Readonly<Record<string, Record<string, unknown>>>;
  const rows = Object.entries(properties).map(([option, schema]) => [
    `  ${option}`,
    describeType(schema),
    "default" in schema ? `default ${JSON.stringify(schema["default"])}` : "",
    String(schema["description"] ?? ""),
  ]);
  const list = rows.length === 0 ? "no options\n" : `options (--set name=value)\n${formatTable(rows)}`;
  return `${name}: ${summary}\n\n${formatTable(facts)}\n${list}`;
}

/** Option sets of the votes, equal ones counted. */
function describePreset(votes: unknown): string {
  const counts = new Map<string, number>();
  for (const set of votes as readonly Readonly<Record<string, unknown>>[]) {
    const pairs = Object.entries(set).map(([key, value]) => `${key}=${Array.isArray(value) ? value.join(",") : value}`);
    const text = pairs.join(" ") || "defaults";
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].map(([text, count]) => (count === 1 ? text : `${count} votes of ${text}`)).join("; ");
}

function describeType(schema: Readonly<Record<string, unknown>>): string {
  if (Array.isArray(schema["enum"])) return schema["enum"].join(" | ");
  if (Array.isArray(schema["anyOf"])) return schema["anyOf"].map(describeType).join(" | ");
  if (schema["type"] === "array") return `list of ${describeType((schema["items"] ?? {}) as Record<string, unknown>)}`;
  if ("const" in schema) return String(schema["const"]);
  const [low, high] = [
    schema["minimum"] ?? schema["exclusiveMinimum"],
    schema["maximum"] ?? schema["exclusiveMaximum"],
  ];
  const isBound = (value: unknown): boolean => typeof value === "number" && Math.abs(value) < Number.MAX_SAFE_INTEGER;
  const range = [isBound(low) ? `from ${low}` : "", isBound(high) ? `to ${high}` : ""].filter((text) => text !== "");
  return [String(schema["type"] ?? "any"), ...range].join(" ");
}
