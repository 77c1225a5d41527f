/** @file `--set key=value`: text from the command line to the types that a method's options have. */
import type { z } from "zod";
import { OptionError } from "../core/errors.ts";
import { optionsSchema } from "../jobs/methods.ts";

/** The part of JSON Schema that decides how text is read. */
interface TypeOf {
  readonly type?: string | readonly string[] | undefined;
  readonly anyOf?: readonly TypeOf[] | undefined;
  readonly oneOf?: readonly TypeOf[] | undefined;
  readonly items?: TypeOf | undefined;
  readonly const?: unknown;
  readonly enum?: readonly unknown[] | undefined;
}

/**
 * Reads `key=value` pairs. What a value is comes from the method's schema: a number, `true` or `false`, `null`, a word,
 * or a list with commas between. Names and ranges are checked later, by the schema itself.
 * @throws OptionError when a pair has no `=`, or a key comes twice.
 */
export function parseSettings(pairs: readonly string[], options: z.ZodObject): Record<string, unknown> {
  const types = (optionsSchema(options)["properties"] ?? {}) as Readonly<Record<string, TypeOf>>;
  const settings: Record<string, unknown> = {};
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at < 1) throw new OptionError(`--set: expected key=value, got "${pair}".`);
    const key = pair.slice(0, at);
    if (Object.hasOwn(settings, key)) throw new OptionError(`--set: expected every key once, got "${key}" twice.`);
    const type = Object.hasOwn(types, key) ? types[key] : undefined;
    settings[key] = readValue(pair.slice(at + 1), type ?? {});
  }
  return settings;
}

function readValue(text: string, type: TypeOf): unknown {
  const types = alternatives(type);
  const allows = (...names: readonly string[]): boolean => types.some(({ type: name }) => names.includes(String(name)));
  const literals = types.flatMap((each) => [...(each.enum ?? []), ...("const" in each ? [each.const] : [])]);
  const literal = literals.find((value) => String(value) === text);
  if (literal !== undefined) return literal;
  if (allows("null") && text === "null") return null;
  if (allows("number", "integer") && text.trim() !== "" && Number.isFinite(Number(text))) return Number(text);
  if (allows("boolean") && (text === "true" || text === "false")) return text === "true";
  const list = types.find((each) => each.type === "array");
  if (list !== undefined) return text === "" ? [] : text.split(",").map((part) => readValue(part, list.items ?? {}));
  return text;
}

function alternatives(type: TypeOf): TypeOf[] {
  const inner = [...(type.anyOf ?? []), ...(type.oneOf ?? [])].flatMap(alternatives);
  const own = Array.isArray(type.type) ? type.type.map((name: string) => ({ ...type, type: name })) : [type];
  return [...own, ...inner];
}
