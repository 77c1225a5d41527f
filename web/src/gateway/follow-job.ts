/** @file A job from its events, as the gateway tells them. */
import { serverEvents } from "untrigger/client";
import type { Api, Job } from "./api.ts";

/** Every state of a job, with its progress, until the gateway tells no more: the last one is its end, or the gateway has gone. */
export async function* followJob(api: Api, { id }: Pick<Job, "id">, signal: AbortSignal): AsyncGenerator<Job> {
  const { body } = await api.ask(`jobs/${id}/events`, { signal });
  if (body === null) throw new Error("The gateway sent no events.");
  let job: Job | undefined;
  for await (const { event, data } of serverEvents(body)) {
    if (event === "job") job = JSON.parse(data) as Job;
    else if (event === "progress" && job !== undefined) job = { ...job, progress: JSON.parse(data) as Job["progress"] };
    else continue;
    if (job !== undefined) yield job;
  }
}
