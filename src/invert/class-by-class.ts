/** @file The walk over classes of inverters that search for one class after the other. */
import type { InversionRun, Inverter, InverterContext } from "./inverter.ts";
import { type CheckedRequest, checkRequest, needGradients, rowsBeside } from "./needs.ts";
import { type Progress, startProgress } from "./progress.ts";
import { type Found, measured } from "./trigger.ts";

/** What the search for one class is given. */
export interface ClassSearch {
  readonly target: number;
  readonly request: CheckedRequest;
  readonly context: InverterContext;
  readonly run: InversionRun;
  readonly progress: Progress;
}

/**
 * An inverter that searches for one class after the other.
 * @param steps of one search. @throws OptionError when the classifier has no gradients.
 */
export function classByClass(
  method: string,
  context: InverterContext,
  { steps, search }: { readonly steps: number; search(search: ClassSearch): Promise<Found> },
): Inverter {
  needGradients(method, context);
  return {
    async *invert(given, run) {
      const request = await checkRequest(method, given, { context, run });
      const targets = request.classes.filter((target) => rowsBeside(request, target).length > 0);
      const progress = startProgress(run, targets.length * steps);
      for (const target of targets) {
        const found = await search({ target, request, context, run, progress });
        yield await measured(found, request, { context, run });
      }
    },
    dispose: async () => {},
  };
}
