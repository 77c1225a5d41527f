/** The facts that the registry knows in docs/attacks/*.md: threat, label maps, options, presets. */
import type { z } from "zod";
import type { AttackDescriptor } from "../src/attacks/attack.ts";
import { optionsSchema } from "../src/jobs/methods.ts";

const [start, end] = ["<!-- facts:start -->", "<!-- facts:end -->"];

const threats: Readonly<Record<AttackDescriptor["threat"], string>> = {
  poison: "some training images and their labels",
  "clean-label": "some training images; labels stay true",
  training: "the batches of the training",
  loss: "the loss of the training",
  "fine-tune": "the last steps of a model that others trained",
  evasion: "nothing but the input; no backdoor",
};

/** A page with the facts as the registry has them. */
export function withFacts(page: string, descriptor: AttackDescriptor): string {
  const [before = "", rest = ""] = page.split(start);
  return `${before}${start}\n${factsOf(descriptor)}\n${end}${rest.split(end)[1] ?? ""}`;
}

function factsOf(descriptor: AttackDescriptor): string {
  const { threat, labelMaps, needs, presets, options, source } = descriptor;
  const needed = [
    ...(needs.colour === true ? ["colour"] : []),
    ...(needs.side === undefined ? [] : [`${needs.side} pixels a side`]),
    ...(needs.classes === undefined ? [] : [`${needs.classes} classes`]),
    ...(needs.surrogate === true ? ["a classifier trained on clean data"] : []),
    ...(needs.runtime === true ? ["a runtime for its networks"] : []),
  ];
  return [
    `Source: ${source}.`,
    "",
    `The attacker has ${threats[threat]}.${labelMaps.length === 0 ? "" : ` Label maps: ${labelMaps.join(", ")}.`}${needed.length === 0 ? "" : ` Needs ${needed.join(", ")}.`}`,
    "",
    "| Option | Default | Values | Meaning |",
    "|---|---|---|---|",
    ...optionRows(options),
    "",
    "| Preset | Differs from the defaults in |",
    "|---|---|",
    ...Object.entries(presets).map(([name, set]) => `| \`${name}\` | ${describe(set)} |`),
  ].join("\n");
}

function optionRows(options: z.ZodObject): string[] {
  const properties = (optionsSchema(options)["properties"] ?? {}) as Record<string, Record<string, unknown>>;
  return Object.entries(properties).map(([name, schema]) => {
    const fallback = Array.isArray(schema["default"]) ? schema["default"].join(", ") || "none" : schema["default"];
    return `| \`${name}\` | ${String(fallback)} | ${valuesOf(schema)} | ${String(schema["description"] ?? "")} |`;
  });
}

function valuesOf(schema: Readonly<Record<string, unknown>>): string {
  if (Array.isArray(schema["enum"])) return schema["enum"].join(", ");
  if (Array.isArray(schema["anyOf"])) return schema["anyOf"].map(valuesOf).join(", or ");
  if ("const" in schema) return String(schema["const"]);
  if (schema["type"] === "array") return "class ids";
  if (schema["type"] === "boolean") return "true, false";
  const bound = (...names: readonly string[]): unknown =>
    names.map((name) => schema[name]).find((value) => value !== undefined);
  const isReal = (value: unknown): boolean => typeof value === "number" && Math.abs(value) < Number.MAX_SAFE_INTEGER;
  const [low, high] = [bound("minimum", "exclusiveMinimum"), bound("maximum", "exclusiveMaximum")];
  const words = schema["type"] === "integer" ? "integer" : "number";
  return `${words}${isReal(low) ? ` from ${String(low)}` : ""}${isReal(high) ? ` to ${String(high)}` : ""}`;
}

function describe(set: object): string {
  const pairs = Object.entries(set).map(([key, value]) => `${key} ${Array.isArray(value) ? value.join(", ") : value}`);
  return pairs.join("; ") || "nothing";
}

/** Path of an attack's page. */
export function pageOf(name: string): string {
  return `docs/attacks/${name}.md`;
}
