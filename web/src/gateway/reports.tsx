/** @file The reports of a gateway: scans, audits and benches that somebody started there, by link. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Failure } from "../parts/failure.tsx";
import { saveFile } from "../save.ts";
import type { Api, Job } from "./api.ts";

/** Kinds of work that end with a page. */
const reporting: ReadonlySet<string> = new Set(["scan", "audit", "bench"]);

/** The list, with a button that asks anew. Nothing where the gateway has none. */
export function Reports({ api, hasKey }: { readonly api: Api; readonly hasKey: boolean }): JSX.Element | null {
  const [jobs, setJobs] = useState<readonly Job[]>([]);
  const [refusal, setRefusal] = useState<string>();
  const load = (): void => {
    setRefusal(undefined);
    api.json<{ jobs: readonly Job[] }>("jobs").then(
      ({ jobs: all }) => setJobs(all.filter(({ kind }) => reporting.has(kind))),
      (error: Error) => setRefusal(error.message),
    );
  };
  useEffect(load, [api]);
  if (jobs.length === 0 && refusal === undefined) return null;
  return (
    <section aria-labelledby="reports">
      <h2 id="reports">Scans, audits and benches of this gateway</h2>
      {refusal === undefined ? undefined : <Failure message={refusal} />}
      <ul>
        {jobs.map((job) => (
          <li key={job.id}>
            <Report api={api} job={job} hasKey={hasKey} />
          </li>
        ))}
      </ul>
      <button type="button" onClick={load}>
        Ask again
      </button>
    </section>
  );
}

function Report({ api, job, hasKey }: { readonly api: Api; readonly job: Job; readonly hasKey: boolean }): JSX.Element {
  const { id, kind, state, created, error } = job;
  const title = `${kind} of ${new Date(created).toLocaleString()}`;
  const path = `jobs/${id}/files/index.html`;
  if (state !== "done") {
    return (
      <>
        {title}: {state}. {error === null ? "" : error.error}
      </>
    );
  }
  // A link carries no key: with one, the report is fetched and saved.
  return hasKey ? (
    <button
      type="button"
      class="link"
      onClick={() => void api.ask(path).then(async (response) => saveFile(`${kind}-${id}.html`, await response.blob()))}
    >
      {title} (save)
    </button>
  ) : (
    <a href={`api/${path}`}>{title}</a>
  );
}
