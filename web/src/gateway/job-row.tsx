/** @file One scan, audit or bench: how far it is, what it found, its report, and how to stop or forget it. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Failure } from "../parts/failure.tsx";
import { saveFile } from "../save.ts";
import { type Api, isOver, type Job, Refused } from "./api.ts";
import { followJob } from "./follow-job.ts";

/** How a verdict is coloured. */
const colours: Readonly<Record<string, string>> = { backdoored: "bad", clean: "good", undecided: "unsure" };

/** The row. @param forget takes it out of the list. */
export function JobRow({
  api,
  job: first,
  hasKey,
  forget,
}: {
  readonly api: Api;
  readonly job: Job;
  readonly hasKey: boolean;
  readonly forget: () => void;
}): JSX.Element {
  const [refusal, setRefusal] = useState<string>();
  const job = useJob(api, first, setRefusal);
  const verdict = useVerdict(api, job);
  const { id, kind, state, created, progress, error } = job;
  const title = `${kind} of ${new Date(created).toLocaleString()}`;
  const remove = (): void => {
    api.ask(`jobs/${id}`, { method: "DELETE" }).then(forget, (thrown: Error) => {
      // One that is gone already is what was asked for.
      if (thrown instanceof Refused && thrown.status === 404) forget();
      else setRefusal(thrown.message);
    });
  };
  return (
    <li>
      <p role="status">
        {state === "done" ? <ReportLink api={api} id={id} kind={kind} title={title} hasKey={hasKey} /> : title}
        {state === "done" ? " " : `: ${state}${progress === null ? "" : `, ${progress.phase}`}. `}
        {verdict === undefined ? undefined : <span class={`badge ${colours[verdict] ?? "unsure"}`}>{verdict}</span>}
      </p>
      {isOver(job) ? undefined : <progress aria-label={`Done of the ${title}`} max={1} value={shareOf(progress)} />}
      {error === null ? undefined : <Failure message={error.error} />}
      {refusal === undefined ? undefined : <Failure message={refusal} />}
      <button type="button" aria-label={`${isOver(job) ? "Forget" : "Cancel"} the ${title}`} onClick={remove}>
        {isOver(job) ? "Forget" : "Cancel"}
      </button>
    </li>
  );
}

/** A job, watched to its end. @param refuse hears why it is not watched any more where something went wrong. */
function useJob(api: Api, first: Job, refuse: (message: string) => void): Job {
  const [job, setJob] = useState(first);
  useEffect(() => {
    const leaving = new AbortController();
    const watch = async (): Promise<void> => {
      for await (const told of followJob(api, first, leaving.signal)) setJob(told);
    };
    if (!isOver(first)) {
      watch().catch((error: Error) => {
        if (!leaving.signal.aborted) refuse(error.message);
      });
    }
    return () => leaving.abort();
  }, [api, first.id]);
  return job;
}

/** What a scan or an audit found, once it is done. */
function useVerdict(api: Api, { id, kind, state }: Job): string | undefined {
  const [verdict, setVerdict] = useState<string>();
  const judges = state === "done" && kind !== "bench";
  useEffect(() => {
    if (!judges) return;
    api.json<{ verdict?: string }>(`jobs/${id}/result`).then(
      (result) => setVerdict(result.verdict),
      // The report says it, too.
      () => undefined,
    );
  }, [judges]);
  return verdict;
}

function shareOf(progress: Job["progress"]): number {
  return progress === null ? 0 : progress.done / (progress.total ?? Math.max(progress.done, 1));
}

function ReportLink({
  api,
  id,
  kind,
  title,
  hasKey,
}: {
  readonly api: Api;
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  readonly hasKey: boolean;
}): JSX.Element {
  const path = `jobs/${id}/files/index.html`;
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
