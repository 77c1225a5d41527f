/** @file One purified picture: before and after under a slider, evidence over it, scores beside it, and the verdict. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { PurifiedPng } from "../engine.ts";
import type { Item, Run } from "../state.ts";
import { Comparison } from "./comparison.tsx";
import { Scores } from "./scores.tsx";
import { Verdict } from "./verdict.tsx";

/** The part of the page that explains one picture. */
export function PictureView({
  item,
  purified,
  run,
  labels,
}: {
  readonly item: Item;
  readonly purified: PurifiedPng;
  readonly run: Run | undefined;
  readonly labels: readonly string[] | null;
}): JSX.Element {
  const [map, setMap] = useState<string>();
  const { row, maps } = purified;
  return (
    <section class="view" aria-labelledby="view">
      <h2 id="view">{item.name}</h2>
      <Verdict row={row} summary={run?.summary} labels={labels} />
      <div class="halves">
        <div>
          <Comparison purified={purified} map={map} />
          <fieldset class="maps">
            <legend>Evidence</legend>
            {[undefined, ...Object.keys(maps)].map((name) => (
              <label key={name ?? ""}>
                <input type="radio" name="map" checked={map === name} onChange={() => setMap(name)} />
                {name ?? "none"}
              </label>
            ))}
          </fieldset>
          <p class="faint">
            Left of the line the picture as it came, right of it purified.
            {map === undefined ? "" : ` Red and yellow: ${meaningOf(map)}.`}
          </p>
        </div>
        {row.scores === null || row.scoresBefore === null ? (
          <p>There is no classifier here: suspicion comes from pixels alone.</p>
        ) : (
          <Scores before={row.scoresBefore} after={row.scores} labels={labels} />
        )}
      </div>
    </section>
  );
}

function meaningOf(map: string): string {
  return map === "difference" ? "what purification changed" : `the method's ${map}`;
}
