/** @file What was found, as the record of a scan holds it, with its pictures: the best trigger of each class is shown. */
import type { WhiteBox } from "../../classifiers/white-box.ts";
import type { Inversion } from "../../invert/inverter.ts";
import { stamp, successOf } from "../../invert/trigger.ts";
import { winners } from "../../metrics/accuracy.ts";
import type { ScanTrigger } from "../../results/scan-record.ts";
import { rowsOf, takeRows } from "../../tensor/rows.ts";
import type { Float32Tensor } from "../../tensor/tensor.ts";
import { overlap, picturesOf, type TrueFootprint } from "./evidence.ts";
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
  const { images, labels } = probe;
  const called = winners((await classifier.classify(images, signal)).scores);
  const triggers: ScanTrigger[] = [];
  const pictures: ScanPicture[] = [];
  for (const { method, inversion } of found) {
    const { target, trigger, norms, success, sources, complete } = inversion;
    const rows = [...labels.keys()].filter((row) => labels[row] !== target && !sources.includes(row));
    const shown = best.get(target) === inversion;
    const looks = shown ? await look(classifier, inversion, { probe, called, rows, names, signal }) : NOT_SHOWN;
    triggers.push({
      class: target,
      method,
      kind: trigger.kind,
      sources: success.sources,
      others: success.others,
      floor: { hits: rows.filter((row) => called[row] === target).length, total: rows.length },
      ...norms,
      iou: footprint === undefined || trueTarget !== target ? null : overlap(trigger, footprint),
      complete,
      shown,
      images: [...looks.images],
      files: looks.files,
    });
    pictures.push(...looks.pictures);
  }
  return { triggers, pictures };
}

/** What is shown of a trigger. */
interface Looks {
  readonly images: ScanTrigger["images"];
  readonly files: Record<string, string>;
  readonly pictures: readonly ScanPicture[];
}

const NOT_SHOWN: Looks = { images: [], files: {}, pictures: [] };

/** Pictures of a trigger, and of some images without and with it: those that it flips first. */
async function look(
  classifier: WhiteBox,
  { target, trigger }: Inversion,
  {
    probe,
    called,
    rows,
    names,
    signal,
  }: Pick<EvidenceParts, "probe" | "names" | "signal"> & {
    /** Of every image of the probe as it is. */
    readonly called: Int32Array;
    /** Images to try it on. */
    readonly rows: readonly number[];
  },
): Promise<Looks> {
  const folder = `triggers/class-${target}`;
  const { trigger: image, mask } = picturesOf(trigger);
  const pictures: ScanPicture[] = [
    { path: `${folder}/trigger.png`, kind: "image", images: image },
    { path: `${folder}/mask.png`, kind: "image", images: mask },
    { path: `${folder}/heat.png`, kind: "heat", images: mask },
  ];
  const files: Record<string, string> = {};
  for (const what of ["trigger", "mask", "heat"]) files[what] = `${folder}/${what}.png`;
  if (rows.length === 0) return { images: [], files, pictures };
  const stamped = stamp(takeRows(probe.images, rows), trigger);
  const after = winners((await classifier.classify(stamped, signal)).scores);
  const flips = (i: number): number => (after[i] === target && called[rows[i] ?? -1] !== target ? 1 : 0);
  const some = [...rows.keys()].sort((a, b) => flips(b) - flips(a)).slice(0, SHOWN_IMAGES);
  for (const [n, i] of some.entries()) {
    const [clean, triggered] = [`${folder}/image-${n}-clean.png`, `${folder}/image-${n}-triggered.png`];
    files[`before-${n}`] = clean;
    files[`after-${n}`] = triggered;
    pictures.push({ path: clean, kind: "image", images: takeRows(probe.images, [rows[i] ?? 0]) });
    pictures.push({ path: triggered, kind: "image", images: rowsOf(stamped, i, i + 1) });
  }
  const images = some.map((i) => {
    const row = rows[i] ?? 0;
    return { name: names[row] ?? `reference/${row}`, before: called[row] ?? -1, after: after[i] ?? -1 };
  });
  return { images, files, pictures };
}
