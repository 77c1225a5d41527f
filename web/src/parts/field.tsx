/** @file A control with its label above and its hint below. */
import type { JSX } from "preact";
import { useId } from "preact/hooks";

/** What a control needs so that its label and hint are read with it. */
export interface Labelled {
  readonly id: string;
  readonly "aria-describedby": string | undefined;
}

/** Label, control, hint. @param control draws the control with the given attributes. */
export function Field({
  label,
  hint,
  control,
}: {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly control: (labelled: Labelled) => JSX.Element;
}): JSX.Element {
  const id = useId();
  const hintId = hint === undefined ? undefined : `${id}-hint`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {control({ id, "aria-describedby": hintId })}
      {hint === undefined ? undefined : (
        <small id={hintId} class="faint">
          {hint}
        </small>
      )}
    </div>
  );
}
