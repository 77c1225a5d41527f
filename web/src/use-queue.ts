/** @file The one place where the page works: while pictures wait and nothing runs, they go to the engine. */
import { type Dispatch, useEffect, useRef } from "preact/hooks";
import type { Engine } from "./engine.ts";
import { type Action, requestOf, type State } from "./state.ts";

/** Runs what waits. @returns how to cancel what runs. */
export function useQueue(engine: Engine, state: State, dispatch: Dispatch<Action>): () => void {
  const running = useRef<AbortController | undefined>(undefined);
  const waits = state.progress === undefined && state.items.some(({ status }) => status === "waiting");
  useEffect(() => {
    if (!waits) return;
    const control = new AbortController();
    running.current = control;
    run(engine, state, dispatch, control.signal).catch((error: unknown) => {
      const failure = error instanceof Error ? error.message : String(error);
      dispatch(control.signal.aborted ? { kind: "stop" } : { kind: "stop", failure });
    });
  }, [waits]);
  return () => running.current?.abort();
}

async function run(engine: Engine, state: State, dispatch: Dispatch<Action>, signal: AbortSignal): Promise<void> {
  const pictures = state.items.filter(({ status }) => status === "waiting");
  dispatch({ kind: "start", ids: new Set(pictures.map(({ id }) => id)) });
  const progress = (what: string, done: number, total: number): void =>
    dispatch({ kind: "progress", what, done, total });
  const facts = await unlessAborted(engine.open(progress), signal);
  const request = requestOf(state.settings, facts);
  dispatch({ kind: "opened", facts, request });
  const started = performance.now();
  const summary = await engine.purify(
    pictures,
    request,
    {
      progress,
      picture: (purified) => dispatch({ kind: "picture", purified }),
      refused: (id, message) => dispatch({ kind: "refused", id, message }),
    },
    signal,
  );
  dispatch({ kind: "end", summary, seconds: (performance.now() - started) / 1000 });
}

/** Loading goes on in the background when it is cancelled: the next picture needs it as well. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return Promise.race([
    promise,
    new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    }),
  ]);
}
