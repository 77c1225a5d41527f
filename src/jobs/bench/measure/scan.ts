/** @file What the whole detector says about a model. */
import { OptionError } from "../../../core/errors.ts";
import { lookUp } from "../../../core/names.ts";
import type { InverterDescriptor } from "../../../invert/inverter.ts";
import { inverters } from "../../../invert/registry.ts";
import { scanJob } from "../../scan/scan.ts";
import type { CellHost, Measured } from "../cell-host.ts";
import type { CellDefence, CellJob } from "../job.ts";
import { onTop } from "./on-top.ts";

/** Share of a cell's work that the look at every class is taken to be. */
const LOOKING = 0.7;

/** Scans a model. @throws OptionError, ShapeError when model, images and references do not fit; what searching throws. */
export async function measureScan(
  job: CellJob,
  { inverters: named, falsePositiveRate: fpr, clean: { count } }: Extract<CellDefence, { kind: "scan" }>,
  host: CellHost & { readonly target: number | null },
): Promise<Measured> {
  const { runtime, threads, files, clean, references, trigger, target, signal, now } = host;
  if (clean === undefined || references === undefined) {
    throw new OptionError(`scan: expected ${count} clean images and references, got none.`);
  }
  const chosen = named.map(({ name, sets }) => ({
    descriptor: lookUp<InverterDescriptor>("inverter", name, inverters),
    options: sets,
  }));
  const names = Array.from(clean.labels, (_, i) => `${job.data.name}/${i}`);
  const started = now();
  const { record } = await scanJob(
    { chosen, fpr, seed: job.seed },
    files,
    { ...clean, names },
    {
      runtime,
      threads,
      trigger,
      signal,
      references: async () => references,
      progress: (phase, done, total) =>
        host.progress?.(phase === "look" ? (LOOKING * done) / total : LOOKING + ((1 - LOOKING) * done) / total),
    },
  );
  const { verdict, pValue, reason, targets, anomaly } = record;
  const classes = record.classes.map(({ class: k, score, pValue: own }) => ({ class: k, score, pValue: own }));
  const top = onTop(classes);
  return {
    secondsOnce: now() - started,
    scan: {
      ...{ verdict, pValue, reason, targets, classes, anomaly },
      ...{ top, topIsTarget: target === null ? null : top === target },
    },
  };
}
