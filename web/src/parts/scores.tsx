/** @file What the classifier says before and after, class by class. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { nameOf, percent } from "../words.ts";

/** Classes that are shown at first. */
const FEW = 5;

/** A table of class probabilities, the most likely of either first. */
export function Scores({
  before,
  after,
  labels,
}: {
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly labels: readonly string[] | null;
}): JSX.Element {
  const [all, setAll] = useState(false);
  const most = (label: number): number => Math.max(before[label] ?? 0, after[label] ?? 0);
  const order = before.map((_, label) => label).sort((a, b) => most(b) - most(a));
  const shown = all ? order : order.slice(0, FEW);
  return (
    <div>
      <table class="scores" aria-label="Scores before and after">
        <thead>
          <tr>
            <th scope="col">Class</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((label) => (
            <tr key={label}>
              <th scope="row">{nameOf(label, labels)}</th>
              {[before, after].map((scores, i) => (
                <td key={i === 0 ? "before" : "after"}>
                  <span class={i === 0 ? "bar" : "bar clean"} style={{ "--share": scores[label] ?? 0 }} />
                  {percent(scores[label] ?? 0)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {order.length > FEW ? (
        <button type="button" aria-pressed={all} onClick={() => setAll(!all)}>
          All {order.length} classes
        </button>
      ) : undefined}
    </div>
  );
}
