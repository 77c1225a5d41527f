/** @file Names of attacks and defences that are short, and yet different for what is different. */
import { hashJson } from "../../core/hash.ts";
import type { BenchMethod } from "../../results/bench-row.ts";
import { unique } from "../page/tree.ts";
import { groupBy } from "./group.ts";

/** Name of a method by its {@link methodKey}. */
export type Labels = ReadonlyMap<string, string>;

/** The same for methods that agree in name, preset and all options. */
export function methodKey({ name, preset, options }: BenchMethod): string {
  return hashJson([name, preset, options]);
}

/**
 * Labels of methods, in the order of their first appearance: `name preset`, and where several share that, the options in
 * which they differ: `badnets (poisonRate 0.01)`.
 */
export function labelMethods(methods: Iterable<BenchMethod>): Labels {
  const byKey = new Map<string, BenchMethod>();
  const seen = new Set<BenchMethod>();
  for (const method of methods) {
    if (!seen.has(method)) byKey.set(methodKey(method), method);
    seen.add(method);
  }
  const byName = groupBy(byKey.values(), shortName);
  const labels = new Map<string, string>();
  const taken = new Set<string>();
  for (const [key, method] of byKey) {
    const alike = byName.get(shortName(method)) ?? [];
    const differing = differingOptions(alike.map(({ options }) => options));
    const told = differing.map((name) => `${name} ${brief(method.options[name])}`).join(", ");
    labels.set(key, unique(told === "" ? shortName(method) : `${shortName(method)} (${told})`, taken));
  }
  return labels;
}

/** Whose word counts is part of what a defence is, and said even where nothing else shares its name. */
function shortName({ name, preset, options }: BenchMethod): string {
  const own = preset === null ? name : `${name} ${preset}`;
  return options["answer"] === "verdict" ? `${own}, by verdict` : own;
}

function differingOptions(all: readonly BenchMethod["options"][]): string[] {
  const names = new Set(all.flatMap((options) => Object.keys(options)));
  return [...names].filter((name) => new Set(all.map((options) => JSON.stringify(options[name]))).size > 1);
}

function brief(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "unset");
  return text.length > 24 ? `${text.slice(0, 23)}…` : text;
}
