/** @file The use case of one cell: a model, what attacks it, what stands against that; counted on images that cells share. */
import { singleTarget } from "../../attacks/label-map.ts";
import type { CellHost, CellMeasures, Measured } from "./cell-host.ts";
import type { CellJob } from "./job.ts";
import { measureAnswers } from "./measure/answers.ts";
import { measureInverter } from "./measure/inverter.ts";
import { measureRepaired } from "./measure/repaired.ts";
import { measureScan } from "./measure/scan.ts";

/**
 * Measures a cell.
 * @throws OptionError, ShapeError when defence, prior, model and images do not fit each other; what running them throws.
 */
export async function measureCell(job: CellJob, host: CellHost): Promise<CellMeasures> {
  const target = host.trigger === undefined ? null : (singleTarget(host.trigger.labels) ?? null);
  return {
    answers: undefined,
    inversion: undefined,
    scan: undefined,
    secondsOnce: 0,
    ...(await measureDefence(job, host, target)),
    target,
    images: host.images.labels.length,
  };
}

async function measureDefence(job: CellJob, host: CellHost, target: number | null): Promise<Measured> {
  const { defence } = job;
  switch (defence.kind) {
    case "none":
    case "purifier":
      return { answers: await measureAnswers(job, host) };
    case "repair":
      return await measureRepaired(job, defence, host);
    case "inverter":
      return await measureInverter(job, defence, { ...host, target });
    case "scan":
      return await measureScan(job, defence, { ...host, target });
  }
}
