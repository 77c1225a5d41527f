/** @file The page around an engine: its parts, and what happens between them. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useReducer } from "preact/hooks";
import type { Engine, Facts } from "./engine.ts";
import type { Method } from "./method.ts";
import { Failure } from "./parts/failure.tsx";
import { Intake } from "./parts/intake.tsx";
import { PictureTable } from "./parts/picture-table.tsx";
import { PictureView } from "./parts/picture-view.tsx";
import { Progress } from "./parts/progress.tsx";
import { SettingsForm } from "./parts/settings-form.tsx";
import { ViewPlace } from "./parts/view-place.tsx";
import { initialState, reduce, type Settings } from "./state.ts";
import { useQueue } from "./use-queue.ts";

/** The whole page. */
export function App({
  engine,
  methods,
  start,
  place,
  controls,
  children,
}: {
  readonly engine: Engine;
  readonly methods: readonly Method[];
  /** Settings that the page opens with, where they are not the usual ones. */
  readonly start?: Partial<Settings>;
  /** Says where pictures are purified. */
  readonly place: (facts: Facts | undefined) => JSX.Element;
  /** Controls of the engine. @param busy whether it works. */
  readonly controls: (busy: boolean) => JSX.Element | undefined;
  /** What stands below the pictures. */
  readonly children?: ComponentChildren;
}): JSX.Element {
  const [state, dispatch] = useReducer(reduce, initialState, (usual) => ({
    ...usual,
    settings: { ...usual.settings, ...start },
  }));
  useEffect(() => () => engine.close(), [engine]);
  const cancel = useQueue(engine, state, dispatch);
  const { items, progress, failure, facts, selected, settings } = state;
  const shown = items.find(({ id }) => id === selected);
  // From the moment at which the table is there, or a slow machine would show it first, and push it down then.
  const coming = items.find(({ status }) => status === "waiting" || status === "running");
  return (
    <>
      <header>
        <h1>Purify pictures</h1>
        <p class="lead">
          Drop in a picture, and see what an image classifier that nobody can vouch for says before and after it is
          cleaned.
        </p>
        {place(facts)}
      </header>
      <main>
        <div>
          <Intake add={(files) => dispatch({ kind: "add", files })} />
          <SettingsForm methods={methods} settings={settings} dispatch={dispatch}>
            {controls(progress !== undefined)}
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
          {children}
        </div>
      </main>
    </>
  );
}
