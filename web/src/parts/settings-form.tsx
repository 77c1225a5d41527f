/** @file How pictures are purified: a form that is drawn from what the registry says about each method. */
import type { ComponentChildren, JSX } from "preact";
import type { Dispatch } from "preact/hooks";
import { defaultPreset, type Method } from "../method.ts";
import type { Action, Settings } from "../state.ts";
import { NumberField } from "./number-field.tsx";
import { OptionField } from "./option-field.tsx";
import { SelectField } from "./select-field.tsx";

/** The form. Settings belong to the next run. */
export function SettingsForm({
  methods,
  settings,
  dispatch,
  children,
}: {
  readonly methods: readonly Method[];
  readonly settings: Settings;
  readonly dispatch: Dispatch<Action>;
  /** Controls of the engine. */
  readonly children?: ComponentChildren;
}): JSX.Element {
  const method = methods.find(({ name }) => name === settings.method);
  const presets = Object.keys(method?.presets ?? {});
  const change = (part: Partial<Settings>): void => dispatch({ kind: "settings", change: part });
  const chooseMethod = (name: string): void => {
    const next = methods.find((one) => one.name === name);
    if (next !== undefined) change({ method: name, preset: defaultPreset(next), options: {} });
  };
  return (
    <form aria-labelledby="method" onSubmit={(event) => event.preventDefault()}>
      <h2 id="method">Method</h2>
      <div class="fields">
        <SelectField
          label="Method"
          choices={methods.map(({ name }) => [name, name])}
          value={settings.method}
          change={chooseMethod}
        />
        <SelectField
          label="Preset"
          choices={presets.map((name) => [name, name])}
          value={settings.preset}
          change={(preset) => change({ preset })}
        />
        <NumberField
          label="Votes"
          hint="How many purifications are averaged."
          schema={{ type: "integer", minimum: 1, maximum: 64 }}
          preset={String(method?.presets[settings.preset]?.length ?? 1)}
          value={settings.votes}
          change={(votes) => change({ votes })}
        />
        <NumberField
          label="Seed"
          hint="The same seed and picture give the same result."
          schema={{ type: "integer", minimum: 0, maximum: 2 ** 32 - 1 }}
          preset="0"
          value={settings.seed === 0 ? undefined : settings.seed}
          change={(seed = 0) => change({ seed })}
        />
        {children}
      </div>
      <label class="tick">
        <input
          type="checkbox"
          checked={settings.fit}
          onChange={({ currentTarget }) => change({ fit: currentTarget.checked })}
        />
        Make pictures fit: resize them, and make them grey or coloured, as the model takes them
      </label>
      {method === undefined ? undefined : (
        <>
          <p class="faint">{method.summary}</p>
          <details>
            <summary>All options of {method.name}</summary>
            <div class="fields">
              {Object.entries(method.options.properties ?? {}).map(([name, schema]) => (
                <OptionField
                  key={`${method.name} ${name}`}
                  name={name}
                  schema={schema}
                  method={method}
                  settings={settings}
                  change={(value) => dispatch({ kind: "option", name, value })}
                />
              ))}
            </div>
            <p class="faint source">{method.source}</p>
          </details>
        </>
      )}
    </form>
  );
}
