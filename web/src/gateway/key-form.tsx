/** @file Asks for the key of a gateway that wants one. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Failure } from "../parts/failure.tsx";
import { Field } from "../parts/field.tsx";

/** A form for the key, which stays in the page's memory. */
export function KeyForm({
  refusal,
  use,
}: {
  readonly refusal: string | undefined;
  readonly use: (key: string) => void;
}): JSX.Element {
  const [key, setKey] = useState("");
  return (
    <main class="key">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          use(key);
        }}
      >
        <h1>Purify pictures</h1>
        <Field
          label="Key of this gateway"
          hint="It is kept until this page is closed."
          control={(labelled) => (
            <input
              {...labelled}
              type="password"
              autocomplete="off"
              required
              onInput={({ currentTarget }) => setKey(currentTarget.value)}
            />
          )}
        />
        <p>
          <button type="submit" class="main">
            Go on
          </button>
        </p>
        {refusal === undefined ? undefined : <Failure message={refusal} />}
      </form>
    </main>
  );
}
