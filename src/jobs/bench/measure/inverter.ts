/** @file What an inverter finds in a model, class by class, and what that does to images that it was not found on. */
import { type MeasuredImages, unitRows } from "../../../bench/evaluate.ts";
import type { Classifier } from "../../../classifiers/classifier.ts";
import { OptionError } from "../../../core/errors.ts";
import { lookUp } from "../../../core/names.ts";
import type { Inversion, InverterDescriptor, Statistic } from "../../../invert/inverter.ts";
import { outliersOf } from "../../../invert/outliers.ts";
import { inverters } from "../../../invert/registry.ts";
import { stamp, successOf } from "../../../invert/trigger.ts";
import { winners } from "../../../metrics/accuracy.ts";
import type { Count } from "../../../metrics/count.ts";
import type { BenchInversion } from "../../../results/bench-row.ts";
import { takeRows } from "../../../tensor/rows.ts";
import { invertClasses } from "../../scan/confirm.ts";
import { footprintOf, overlap } from "../../scan/evidence.ts";
import { probeOf } from "../../scan/probe.ts";
import type { CellHost, Measured } from "../cell-host.ts";
import type { CellDefence, CellJob } from "../job.ts";
import { shareOf } from "../share.ts";
import { onTop } from "./on-top.ts";
import { representative } from "./representative.ts";

/** Share of a cell's work that searching is taken to be. */
const SEARCHING = 0.95;

/** Inverts a model's classes. @throws OptionError when the model has no gradients; what searching throws. */
export async function measureInverter(
  job: CellJob,
  { name, sets, classes, clean: { count } }: Extract<CellDefence, { kind: "inverter" }>,
  host: CellHost & { readonly target: number | null },
): Promise<Measured> {
  const { clean, prior, trigger, target, signal, now } = host;
  if (clean === undefined) throw new OptionError(`${name}: expected ${count} clean images, got none.`);
  const descriptor = lookUp<InverterDescriptor>("inverter", name, inverters);
  const started = now();
  const classifier = await host.whiteBox();
  const probe = probeOf(clean);
  const found: Inversion[] = [];
  for await (const { inversion } of invertClasses(classifier, probe, {
    chosen: [{ descriptor, options: sets }],
    classes,
    prior,
    seed: job.seed,
    signal,
    progress: (done, total) => host.progress?.((SEARCHING * done) / total),
  })) {
    found.push(inversion);
  }
  const secondsOnce = now() - started;
  const footprint =
    trigger === undefined || target === null
      ? undefined
      : await footprintOf(classifier, probe, { trigger, target, signal });
  const chosen = classes.flatMap((k) => representative(found.filter((one) => one.target === k)) ?? []);
  const list: BenchInversion["classes"] = [];
  for (const { inversion, sources } of chosen) {
    const success = await countStamped(inversion, classifier, { ...host, batch: job.batch });
    const own = successOf(inversion);
    list.push({
      class: inversion.target,
      sources,
      success: shareOf(success),
      cleanSuccess: Number.isNaN(own) ? null : own,
      ...inversion.norms,
      iou: footprint === undefined || inversion.target !== target ? null : overlap(inversion.trigger, footprint),
    });
  }
  const { statistic } = descriptor;
  const top = onTop(
    chosen.map(({ inversion }) => ({ class: inversion.target, score: suspicionOf(inversion, statistic) })),
  );
  const outliers = outliersOf(
    chosen.map(({ inversion }) => inversion),
    statistic,
  );
  return {
    secondsOnce,
    inversion: {
      statistic,
      classes: list,
      top,
      topIsTarget: target === null ? null : top === target,
      anomaly: outliers === undefined ? null : { index: outliers.index, flagged: [...outliers.flagged] },
    },
  };
}

/** How suspicious a class is: success counts for it, a large trigger against it. */
function suspicionOf(inversion: Inversion, statistic: Statistic): number {
  return statistic === "success" ? successOf(inversion) : -inversion.norms[statistic];
}

/** Measured images of other classes that are called the target once they carry the reconstruction. */
async function countStamped(
  { target, trigger }: Inversion,
  classifier: Classifier,
  {
    images: { images, labels },
    batch,
    signal,
  }: { readonly images: MeasuredImages; readonly batch: number } & Pick<CellHost, "signal">,
): Promise<Count> {
  let [hits, total] = [0, 0];
  for (let from = 0; from < labels.length; from += batch) {
    const to = Math.min(from + batch, labels.length);
    const others = Array.from({ length: to - from }, (_, i) => i).filter((i) => labels[from + i] !== target);
    if (others.length === 0) continue;
    const stamped = stamp(takeRows(unitRows(images, from, to), others), trigger);
    const { scores } = await classifier.classify(stamped, signal);
    hits += winners(scores).filter((label) => label === target).length;
    total += others.length;
  }
  return { hits, total };
}
