/** @file What is being done, how far it is, and how to stop it or do it again. */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Item, State } from "../state.ts";

/** The bar above the results; it keeps its place when nothing runs. */
export function Progress({
  items,
  progress,
  cancel,
  again,
  clear,
}: {
  readonly items: readonly Item[];
  readonly progress: State["progress"];
  readonly cancel: () => void;
  readonly again: () => void;
  readonly clear: () => void;
}): JSX.Element {
  const section = useRef<HTMLElement>(null);
  const runs = progress !== undefined;
  // On a phone the results are below the form: whoever adds a picture is led to them.
  useEffect(() => {
    const top = section.current?.getBoundingClientRect().top ?? 0;
    if (runs && top > 0.8 * window.innerHeight) section.current?.scrollIntoView();
  }, [runs]);
  return (
    <section ref={section} class="run" aria-label="Progress">
      <p role="status">{progress === undefined ? summaryOf(items) : wordsOf(progress)}</p>
      <progress aria-label="Done so far" max={1} value={progress === undefined ? 0 : progress.done / progress.total} />
      <p class="row">
        {progress === undefined ? (
          <>
            <button type="button" class="main" disabled={items.length === 0} onClick={again}>
              Purify again
            </button>
            <button type="button" disabled={items.length === 0} onClick={clear}>
              Clear
            </button>
          </>
        ) : (
          <button type="button" onClick={cancel}>
            Cancel
          </button>
        )}
      </p>
    </section>
  );
}

function wordsOf({ what, done, total }: NonNullable<State["progress"]>): string {
  return `${what}: ${Math.round((100 * done) / total)} %`;
}

function summaryOf(items: readonly Item[]): string {
  if (items.length === 0) return "No picture yet.";
  const count = (status: Item["status"]): number => items.filter((item) => item.status === status).length;
  const parts = (["refused", "stopped"] as const).flatMap((status) =>
    count(status) === 0 ? [] : [`${count(status)} ${status}`],
  );
  return [`${count("done")} of ${items.length} purified`, ...parts].join(", ").concat(".");
}
