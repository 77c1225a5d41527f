/** @file A job from its events, as the gateway tells them. */
import { serverEvents } from "untrigger/client";
import { type Api, isOver, type Job, Refused } from "./api.ts";

/**
 * Every state of a job, with its progress; the last one is its end.
 * @throws Refused when the gateway tells no more before that.
 */
export async function* followJob(api: Api, { id }: Pick<Job, "id">, signal: AbortSignal): AsyncGenerator<Job> {
  const { body } = await api.ask(`jobs/${id}/events`, { signal });
  let job: Job | undefined;
  for await (const { event, data } of body === null ? [] : serverEvents(body)) {
    if (event === "job") job = JSON.parse(data) as Job;
    else if (event === "progress" && job !== undefined) job = { ...job, progress: JSON.parse(data) as Job["progress"] };
    else continue;
    if (job !== undefined) yield job;
  }
  if (job === undefined || !isOver(job)) {
    throw new Refused(502, "The gateway went away while it worked. Do try again.");
  }
}
