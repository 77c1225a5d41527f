/** @file `untrigger methods [NAME]`: every method with its options, presets and source, from the registries. */
import type { Command } from "commander";
import { type MethodEntry, type MethodsDocument, methodsDocument } from "../../jobs/methods.ts";
import type { Console } from "../console.ts";
import { addCommonFlags, type CommonFlags } from "../flags.ts";
import { formatTable } from "../table.ts";

/** Methods by kind, as people are shown them. */
type Found = Readonly<Record<Exclude<keyof MethodsDocument, "schema" | "auditors">, readonly MethodEntry[]>>;

/** Adds the verb to the program. */
export function defineMethods(command: Command, console: Console): void {
  addCommonFlags(command.argument("[name]", "one method")).action((name: string | undefined, flags: CommonFlags) => {
    const document = methodsDocument(name);
    const { attacks, purifiers, inverters, repairs } = document;
    const found = { attacks, purifiers, inverters, repairs };
    if (flags.json === true) console.out(`${JSON.stringify(document, undefined, 2)}\n`);
    else if (name === undefined) console.out(listOf(found));
    else console.out(Object.values(found).flat().map(detailsOf).join("\n"));
  });
}

function listOf(found: Found): string {
  const tables = Object.entries(found).map(([kind, entries]) => {
    const rows = entries.map(({ name, summary, presets }) => [name, Object.keys(presets).join(","), summary]);
    return formatTable([[kind.replace(/s$/, ""), "presets", "what it does"], ...rows]);
  });
  return `${tables.join("\n")}\nDetails: untrigger methods NAME\n`;
}

function detailsOf({ name, summary, source, needs, presets, options }: MethodEntry): string {
  const needed = Object.entries(needs).flatMap(([asset, need]) => {
    if (typeof need === "number") return [`${asset} of at least ${need}`];
    return need ? [asset === "prior" || asset === "classifier" ? `--${asset}` : asset] : [];
  });
  const facts = [
    ["source", source],
    ["needs", needed.join(" and ") || "nothing"],
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

/** An option set, or the sets of the votes, equal ones counted. */
function describePreset(preset: unknown): string {
  const counts = new Map<string, number>();
  const votes = (Array.isArray(preset) ? preset : [preset]) as readonly Readonly<Record<string, unknown>>[];
  for (const set of votes) {
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
