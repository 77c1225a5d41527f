/** @file A form that starts work of the gateway's: what it does, its controls, a button, and what went wrong. */
import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { Failure } from "../parts/failure.tsx";

/** A form that unfolds. */
export function CheckForm({
  title,
  about,
  button,
  disabled = false,
  start,
  children,
}: {
  readonly title: string;
  readonly about: string;
  readonly button: string;
  /** Something is still missing. */
  readonly disabled?: boolean;
  /** @throws what is shown. */
  readonly start: () => Promise<void>;
  readonly children: ComponentChildren;
}): JSX.Element {
  const [refusal, setRefusal] = useState<string>();
  const [busy, setBusy] = useState(false);
  const submit = async (): Promise<void> => {
    setRefusal(undefined);
    setBusy(true);
    try {
      await start();
    } catch (error) {
      setRefusal(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <details>
      <summary>{title}</summary>
      <form
        aria-label={title}
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <p class="faint">{about}</p>
        <div class="fields">{children}</div>
        <p>
          <button type="submit" class="main" disabled={disabled || busy}>
            {button}
          </button>
        </p>
        {refusal === undefined ? undefined : <Failure message={refusal} />}
      </form>
    </details>
  );
}
