/** @file A choice of one among few. */
import type { JSX } from "preact";
import { Field } from "./field.tsx";

/** A choice, as its value and what is shown for it. */
export type Choice = readonly [value: string, words: string];

/** A field with choices. */
export function SelectField({
  label,
  hint,
  choices,
  value,
  change,
  disabled = false,
}: {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly choices: readonly Choice[];
  readonly value: string;
  readonly change: (value: string) => void;
  readonly disabled?: boolean;
}): JSX.Element {
  return (
    <Field
      label={label}
      hint={hint}
      control={(labelled) => (
        <select
          {...labelled}
          value={value}
          disabled={disabled}
          onChange={({ currentTarget }) => change(currentTarget.value)}
        >
          {choices.map(([choice, words]) => (
            <option key={choice} value={choice}>
              {words}
            </option>
          ))}
        </select>
      )}
    />
  );
}
