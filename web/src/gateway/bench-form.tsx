/** @file Starts a bench: a plan of attacks and defences, where the gateway allows it. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { FileField } from "../parts/file-field.tsx";
import { CheckForm } from "./check-form.tsx";
import type { StartJob } from "./start-job.ts";

/** The form of a bench. */
export function BenchForm({ start }: { readonly start: StartJob }): JSX.Element {
  const [plan, setPlan] = useState<File>();
  return (
    <CheckForm
      title="Run a bench"
      about="Measures every defence of a plan against every attack of it, with the models that the plan names."
      button="Run it"
      disabled={plan === undefined}
      start={async () => start("bench", JSON.stringify({ plan: await plan?.text() }))}
    >
      <FileField
        label="Plan"
        hint="A YAML file, as untrigger bench takes it."
        accept=".yaml,.yml,.json"
        change={([file]) => setPlan(file)}
      />
    </CheckForm>
  );
}
