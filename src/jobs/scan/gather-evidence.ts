/** @file What was found, as the record of a scan holds it, with its pictures: the best trigger of each class is shown. */
import type { WhiteBox } from "../../classifiers/white-box.ts";
import type { Inversion } from "../../invert/inverter.ts";
import { successOf } from "../../invert/trigger.ts";
import type { ScanTrigger } from "../../results/scan-record.ts";
import { rowsOf, takeRows } from "../../tensor/rows.ts";
import type { Float32Tensor } from "../../tensor/tensor.ts";
import { flipped, overlap, picturesOf, type TrueFootprint } from "./evidence.ts";
import type { Probe } from "./probe.ts";

/** Pictures of images with and without a trigger. */
const SHOWN_IMAGES = 6;

/** A picture of the evidence, by its path in the report. */
export interface ScanPicture {
  readonly path: string;
  /** `heat`: [1, 1, H, W] to be coloured; `image`: rows side by side. */
  readonly kind: "heat" | "image";
  readonly images: Float32Tensor;
}

/** What evidence is gathered from. */
export interface EvidenceParts {
  readonly found: readonly { readonly method: string; readonly inversion: Inversion }[];
  readonly probe: Probe;
  readonly footprint: TrueFootprint | undefined;
  readonly target: number | null | undefined;
  readonly names: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** Every trigger that was found, tried on the images that it was not found on. @throws the signal's reason when aborted. */
export async function evidenceOf(
  classifier: WhiteBox,
  { found, probe, footprint, target: trueTarget, names, signal }: EvidenceParts,
): Promise<{ readonly triggers: ScanTrigger[]; readonly pictures: ScanPicture[] }> {
  const best = new Map<number, Inversion>();
  for (const { inversion } of found) {
    const before = best.get(inversion.target);
    if (before === undefined || successOf(inversion) > successOf(before)) best.set(inversion.target, inversion);
  }
  const triggers: ScanTrigger[] = [];
  const pictures: ScanPicture[] = [];
  for (const { method, inversion } of found) {
    const { target, trigger, norms, success, sources, complete } = inversion;
    const shown = best.get(target) === inversion;
    const { kind } = trigger;
    const trial = { target, trigger, without: new Set(sources), signal };
    const tried = await flipped(classifier, probe, trial);
    const floor = { hits: tried.before.filter((label) => label === target).length, total: tried.rows.length };
    const iou = footprint === undefined || trueTarget !== target ? null : overlap(trigger, footprint);
    const base = { class: target, method, kind, sources: success.sources, others: success.others, floor, ...norms };
    if (!shown) {
      triggers.push({ ...base, iou, complete, shown, images: [], files: {} });
      continue;
    }
    const order = [...tried.rows.keys()].sort((a, b) => flips(b) - flips(a));
    const some = order.slice(0, SHOWN_IMAGES);
    const images = some.map((i) => ({
      name: names[tried.rows[i] ?? 0] ?? `reference/${tried.rows[i]}`,
      before: tried.before[i] ?? -1,
      after: tried.after[i] ?? -1,
    }));
    const folder = `triggers/class-${target}`;
    const looks = picturesOf(trigger);
    pictures.push({ path: `${folder}/trigger.png`, kind: "image", images: looks.trigger });
    pictures.push({ path: `${folder}/mask.png`, kind: "image", images: looks.mask });
    pictures.push({ path: `${folder}/heat.png`, kind: "heat", images: looks.mask });
    const files: Record<string, string> = {};
    for (const what of ["trigger", "mask", "heat"]) files[what] = `${folder}/${what}.png`;
    some.forEach((i, n) => {
      const row = tried.rows[i] ?? 0;
      files[`before-${n}`] = `${folder}/image-${n}-clean.png`;
      files[`after-${n}`] = `${folder}/image-${n}-triggered.png`;
      pictures.push({ path: files[`before-${n}`] ?? "", kind: "image", images: takeRows(probe.images, [row]) });
      pictures.push({ path: files[`after-${n}`] ?? "", kind: "image", images: rowsOf(tried.stamped, i, i + 1) });
    });
    triggers.push({ ...base, iou, complete, shown, images, files });

    function flips(i: number): number {
      return tried.after[i] === target && tried.before[i] !== target ? 1 : 0;
    }
  }
  return { triggers, pictures };
}
