/** @file A choice of files. */
import type { JSX } from "preact";
import { Field } from "./field.tsx";

/** A field for files. */
export function FileField({
  label,
  hint,
  accept,
  multiple = false,
  change,
}: {
  readonly label: string;
  readonly hint: string;
  readonly accept: string;
  readonly multiple?: boolean;
  readonly change: (files: readonly File[]) => void;
}): JSX.Element {
  return (
    <Field
      label={label}
      hint={hint}
      control={(labelled) => (
        <input
          {...labelled}
          type="file"
          accept={accept}
          multiple={multiple}
          onChange={({ currentTarget }) => change([...(currentTarget.files ?? [])])}
        />
      )}
    />
  );
}
