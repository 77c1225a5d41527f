/** @file A row a picture, and the files to take away. */
import type { JSX } from "preact";
import type { Dispatch } from "preact/hooks";
import { resultsJson, saveFile, zipOf } from "../save.ts";
import type { Action, Item, State } from "../state.ts";
import { useAddress } from "../use-address.ts";
import { nameOf } from "../words.ts";
import { Failure } from "./failure.tsx";
import { flagOf } from "./verdict.tsx";

/** The table below the picture. */
export function PictureTable({
  state,
  dispatch,
}: {
  readonly state: State;
  readonly dispatch: Dispatch<Action>;
}): JSX.Element {
  const { items } = state;
  const nothing = !items.some(({ status }) => status === "done");
  return (
    <section aria-labelledby="table">
      <h2 id="table">{items.length === 1 ? "1 picture" : `${items.length} pictures`}</h2>
      <p class="row">
        <button
          type="button"
          disabled={nothing}
          onClick={() => void zipOf(items).then((zip) => saveFile("purified.zip", zip))}
        >
          Purified PNGs (zip)
        </button>
        <button type="button" disabled={nothing} onClick={() => saveFile("results.json", resultsJson(state))}>
          Results (JSON)
        </button>
      </p>
      <div class="scroll pictures">
        <table>
          <thead>
            <tr>
              {["Picture", "Before", "After", "Label before", "Label after", "Suspicion", "Actions"].map((title) => (
                <th scope="col" key={title} class={title === "Suspicion" ? "num" : undefined}>
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {items.map((item) => (
              <Row
                key={item.id}
                item={item}
                isShown={item.id === state.selected}
                labels={state.facts?.labels ?? null}
                dispatch={dispatch}
              />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Row({
  item,
  isShown,
  labels,
  dispatch,
}: {
  readonly item: Item;
  readonly isShown: boolean;
  readonly labels: readonly string[] | null;
  readonly dispatch: Dispatch<Action>;
}): JSX.Element {
  const { id, name, status, purified, message } = item;
  return (
    <tr>
      <th scope="row">
        {purified === undefined ? (
          name
        ) : (
          <button type="button" class="link" aria-pressed={isShown} onClick={() => dispatch({ kind: "select", id })}>
            {name}
          </button>
        )}
      </th>
      {purified === undefined ? (
        <td colSpan={5}>{message === undefined ? status : <Failure message={message} />}</td>
      ) : (
        <>
          <td>
            <Thumbnail png={purified.input} alt={`${name} as it came`} />
          </td>
          <td>
            <Thumbnail png={purified.output} alt={`${name}, purified`} />
          </td>
          <td>{nameOf(purified.row.labelBefore, labels)}</td>
          <td>{nameOf(purified.row.label, labels)}</td>
          <td class="num">
            {purified.row.suspicion.toFixed(2)} <Flag flag={flagOf(purified.row)} />
          </td>
        </>
      )}
      <td>
        <div class="row">
          {purified === undefined ? undefined : (
            <button
              type="button"
              aria-label={`PNG of ${name}`}
              onClick={() => saveFile(`${name}.png`, purified.output)}
            >
              PNG
            </button>
          )}
          <button
            type="button"
            aria-label={`Remove ${name}`}
            disabled={status === "running"}
            onClick={() => dispatch({ kind: "remove", id })}
          >
            ✕
          </button>
        </div>
      </td>
    </tr>
  );
}

function Flag({ flag }: { readonly flag: ReturnType<typeof flagOf> }): JSX.Element | null {
  if (flag === "unknown") return null;
  return <span class={`badge ${flag === "flagged" ? "bad" : "good"}`}>{flag === "flagged" ? "flagged" : "clear"}</span>;
}

function Thumbnail({ png, alt }: { readonly png: Blob; readonly alt: string }): JSX.Element {
  return <img class="thumb" src={useAddress(png)} alt={alt} width="36" height="36" />;
}
