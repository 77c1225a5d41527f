/** @file A number that may be left to the preset. */
import type { JSX } from "preact";
import type { OptionSchema } from "../method.ts";
import { Field } from "./field.tsx";

/** A field for a number; empty means what the preset says, which is shown in its place. */
export function NumberField({
  label,
  hint,
  schema,
  preset,
  value,
  change,
}: {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly schema: OptionSchema;
  readonly preset: string;
  readonly value: number | undefined;
  readonly change: (value: number | undefined) => void;
}): JSX.Element {
  const { type, minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  return (
    <Field
      label={label}
      hint={hint}
      control={(labelled) => (
        <input
          {...labelled}
          type="number"
          min={minimum ?? exclusiveMinimum}
          max={maximum ?? exclusiveMaximum}
          step={type === "integer" ? 1 : "any"}
          placeholder={preset}
          // Not written back while the person types: "1." would become "1".
          defaultValue={value ?? ""}
          onInput={({ currentTarget: { valueAsNumber } }) =>
            change(Number.isNaN(valueAsNumber) ? undefined : valueAsNumber)
          }
        />
      )}
    />
  );
}
