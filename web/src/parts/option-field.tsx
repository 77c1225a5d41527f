/** @file One option of a method as the control that its JSON Schema asks for. */
import type { JSX } from "preact";
import { type Method, type OptionSchema, presetValue, wordOf } from "../method.ts";
import type { Settings } from "../state.ts";
import { NumberField } from "./number-field.tsx";
import { SelectField } from "./select-field.tsx";

/** A control that leaves the option to the preset until the person says otherwise. */
export function OptionField({
  name,
  schema,
  method,
  settings,
  change,
}: {
  readonly name: string;
  readonly schema: OptionSchema;
  readonly method: Method;
  readonly settings: Settings;
  /** @param value undefined: the preset's. */
  readonly change: (value: unknown) => void;
}): JSX.Element {
  const value = settings.options[name];
  const preset = presetValue(method, settings.preset, name);
  if (schema.type === "number" || schema.type === "integer") {
    const number = typeof value === "number" ? value : undefined;
    return (
      <NumberField
        label={name}
        hint={schema.description}
        schema={schema}
        preset={preset}
        value={number}
        change={change}
      />
    );
  }
  const values = choicesOf(schema);
  const choices = values.map((one) => [JSON.stringify(one), wordOf(one)] as const);
  return (
    <SelectField
      label={name}
      hint={schema.description}
      choices={[["", `preset: ${preset}`], ...choices]}
      value={value === undefined ? "" : JSON.stringify(value)}
      change={(chosen) => change(chosen === "" ? undefined : JSON.parse(chosen))}
    />
  );
}

/** What may be chosen: words, yes and no, or for a list of words each alone and each order of two. */
function choicesOf(schema: OptionSchema): readonly unknown[] {
  if (schema.enum !== undefined) return schema.enum;
  if (schema.type === "boolean") return [true, false];
  const words = schema.items?.enum ?? [];
  return [...words.map((word) => [word]), ...words.flatMap((a) => words.filter((b) => b !== a).map((b) => [a, b]))];
}
