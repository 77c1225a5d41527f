/** @file What a gateway can check of its own: scans, audits and benches, started here, watched, and read. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Failure } from "../parts/failure.tsx";
import type { Api, GatewayFacts, Job, ServedModel } from "./api.ts";
import { AuditForm } from "./audit-form.tsx";
import { BenchForm } from "./bench-form.tsx";
import { JobRow } from "./job-row.tsx";
import { ScanForm } from "./scan-form.tsx";
import type { StartJob } from "./start-job.ts";

/** Kinds of work that end with a page. */
const reporting: ReadonlySet<string> = new Set(["scan", "audit", "bench"]);

/** Forms for what the gateway allows, and the list of what was asked for. Nothing where it allows nothing. */
export function Checks({
  api,
  facts,
  model,
  hasKey,
}: {
  readonly api: Api;
  readonly facts: GatewayFacts;
  readonly model: ServedModel;
  readonly hasKey: boolean;
}): JSX.Element | null {
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
  const start: StartJob = async (kind, body) => {
    const job = await api.json<Job>(`jobs/${kind}`, { method: "POST", body });
    setJobs((known) => [job, ...known]);
  };
  const forms = [
    facts.jobs.includes("scan") && model.scan ? (
      <ScanForm key="scan" model={model} limits={facts.limits} start={start} />
    ) : undefined,
    facts.jobs.includes("audit") && model.prior ? <AuditForm key="audit" model={model} start={start} /> : undefined,
    facts.jobs.includes("bench") ? <BenchForm key="bench" start={start} /> : undefined,
  ].filter((form) => form !== undefined);
  if (forms.length === 0 && jobs.length === 0 && refusal === undefined) return null;
  return (
    <section class="checks" aria-labelledby="checks">
      <h2 id="checks">Check what this gateway uses</h2>
      {forms}
      {refusal === undefined ? undefined : <Failure message={refusal} />}
      <ul aria-label="Scans, audits and benches">
        {jobs.map((job) => (
          <JobRow
            key={job.id}
            api={api}
            job={job}
            hasKey={hasKey}
            forget={() => setJobs((known) => known.filter(({ id }) => id !== job.id))}
          />
        ))}
      </ul>
      <button type="button" onClick={load}>
        Look for others
      </button>
    </section>
  );
}
