/** @file Starts an audit: does the diffusion prior itself have a backdoor? */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { NumberField } from "../parts/number-field.tsx";
import type { ServedModel } from "./api.ts";
import { CheckForm } from "./check-form.tsx";
import { SHARE, type StartJob } from "./start-job.ts";

/** The form of an audit. */
export function AuditForm({ model, start }: { readonly model: ServedModel; readonly start: StartJob }): JSX.Element {
  const [fpr, setFpr] = useState<number>();
  const [seed, setSeed] = useState<number>();
  return (
    <CheckForm
      title="Audit the prior that purifies"
      about="Looks for noise that makes the diffusion model draw one picture only, as one with a backdoor does. Needs no pictures and some minutes."
      button={`Audit the prior of ${model.name}`}
      start={async () => {
        const request = { ...(fpr === undefined ? {} : { fpr }), ...(seed === undefined ? {} : { seed }) };
        await start("audit", JSON.stringify({ model: model.name, request }));
      }}
    >
      <NumberField {...SHARE} value={fpr} change={setFpr} />
      <NumberField
        label="Seed"
        schema={{ type: "integer", minimum: 0, maximum: 2 ** 32 - 1 }}
        preset="0"
        value={seed}
        change={setSeed}
      />
    </CheckForm>
  );
}
