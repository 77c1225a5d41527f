/** @file Starts a scan: does the classifier have a backdoor, for which class, and what does its trigger look like? */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { FileField } from "../parts/file-field.tsx";
import { NumberField } from "../parts/number-field.tsx";
import { SelectField } from "../parts/select-field.tsx";
import type { GatewayFacts, ServedModel } from "./api.ts";
import { CheckForm } from "./check-form.tsx";
import { jobBody } from "./job-body.ts";
import { SHARE, type StartJob } from "./start-job.ts";

/** Every class, in the list of classes. */
const ALL = "";

/** The form of a scan. */
export function ScanForm({
  model,
  limits,
  start,
}: {
  readonly model: ServedModel;
  readonly limits: GatewayFacts["limits"];
  readonly start: StartJob;
}): JSX.Element {
  const [files, setFiles] = useState<readonly File[]>([]);
  const [target, setTarget] = useState(ALL);
  const [minutes, setMinutes] = useState<number>();
  const [fpr, setFpr] = useState<number>();
  return (
    <CheckForm
      title="Look for a backdoor in the model"
      about="Takes clean pictures and looks for a trigger in each class: which class it would lead to, what it looks like, and how surely a clean model would look otherwise."
      button={`Scan ${model.name}`}
      disabled={files.length === 0}
      start={async () => {
        const request = {
          ...(target === ALL ? {} : { classes: [Number(target)] }),
          ...(minutes === undefined ? {} : { budget: 60 * minutes }),
          ...(fpr === undefined ? {} : { fpr }),
        };
        const pictures = files.map((file, i) => ({ title: file.name, name: `picture-${i + 1}`, file }));
        await start("scan", await jobBody("pictures", { model: model.name, request }, pictures, limits));
      }}
    >
      <FileField
        label="Clean pictures"
        hint={`Without a trigger, as the model takes them; from 1 to ${limits.jobImages}.`}
        accept="image/png,image/jpeg,image/webp,image/tiff"
        multiple
        change={setFiles}
      />
      {model.labels === null ? undefined : (
        <SelectField
          label="Class"
          choices={[[ALL, "every class"], ...model.labels.map((name, i) => [String(i), name] as const)]}
          value={target}
          change={setTarget}
        />
      )}
      <NumberField
        label="Minutes"
        hint="It ends then with what it has."
        schema={{ type: "number", exclusiveMinimum: 0, maximum: 1440 }}
        preset="as it takes"
        value={minutes}
        change={setMinutes}
      />
      <NumberField {...SHARE} value={fpr} change={setFpr} />
    </CheckForm>
  );
}
