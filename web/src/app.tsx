/** @file The page: its parts, and what happens between them. */

import { methods } from "virtual:methods";
import type { JSX } from "preact";
import { useEffect, useMemo, useReducer, useState } from "preact/hooks";
import type { TabConfig } from "./page-config.ts";
import { DeviceField } from "./parts/device-field.tsx";
import { Failure } from "./parts/failure.tsx";
import { Intake } from "./parts/intake.tsx";
import { PictureTable } from "./parts/picture-table.tsx";
import { PictureView } from "./parts/picture-view.tsx";
import { TabPlace } from "./parts/place.tsx";
import { Progress } from "./parts/progress.tsx";
import { SettingsForm } from "./parts/settings-form.tsx";
import { ViewPlace } from "./parts/view-place.tsx";
import { initialState, reduce } from "./state.ts";
import { createTabEngine } from "./tab/engine.ts";
import type { DeviceChoice } from "./tab/messages.ts";
import { useQueue } from "./use-queue.ts";

/** The whole page. */
export function App({ config }: { readonly config: TabConfig }): JSX.Element {
  const [state, dispatch] = useReducer(reduce, initialState);
  const [device, setDevice] = useState<DeviceChoice>("auto");
  const engine = useMemo(() => createTabEngine(config, device), [config, device]);
  useEffect(() => () => engine.close(), [engine]);
  const cancel = useQueue(engine, state, dispatch);
  const { items, progress, failure, facts, selected, settings } = state;
  const shown = items.find(({ id }) => id === selected);
  const coming = items.find(({ status }) => status === "running");
  return (
    <>
      <header>
        <h1>Purify pictures</h1>
        <p class="lead">
          Drop in a picture, and see what an image classifier that nobody can vouch for says before and after it is
          cleaned.
        </p>
        <TabPlace config={config} facts={facts} />
      </header>
      <main>
        <div>
          <Intake add={(files) => dispatch({ kind: "add", files })} />
          <SettingsForm methods={methods} settings={settings} dispatch={dispatch}>
            <DeviceField device={device} choose={setDevice} busy={progress !== undefined} />
          </SettingsForm>
        </div>
        <div>
          <Progress
            items={items}
            progress={progress}
            cancel={cancel}
            again={() => dispatch({ kind: "again" })}
            clear={() => dispatch({ kind: "clear" })}
          />
          {failure === undefined ? undefined : <Failure message={failure} />}
          {shown?.purified !== undefined ? (
            <PictureView
              key={shown.id}
              item={shown}
              purified={shown.purified}
              run={state.runs[shown.run ?? -1]}
              labels={facts?.labels ?? null}
            />
          ) : coming !== undefined ? (
            <ViewPlace name={coming.name} />
          ) : undefined}
          {items.length === 0 ? undefined : <PictureTable state={state} dispatch={dispatch} />}
        </div>
      </main>
    </>
  );
}
