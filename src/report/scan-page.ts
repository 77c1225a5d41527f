/** @file A scan as a page: the verdict, the classes among the references, the triggers that were found, and what it rests on. */
import type { ScanClass, ScanRecord, ScanTrigger } from "../results/scan-record.ts";
import { histogram } from "./charts/histogram.ts";
import { intervalChart } from "./charts/interval-chart.ts";
import { formatDecimal, formatFigure, formatPercent, formatPValue, formatSeconds, formatShare } from "./numbers.ts";
import {
  type Block,
  facts,
  figure,
  heading,
  list,
  type Page,
  type PagePicture,
  paragraph,
  pictures,
  type Tone,
  table,
  verdict,
} from "./page/tree.ts";

/** What a scan's page is told besides the record. */
export interface ScanPageOptions {
  /** Of the model, as the user knows it. */
  readonly title?: string | undefined;
  readonly seconds?: number | undefined;
  /** The picture at a path of the report. */
  readonly picture?: ((path: string, alt: string) => PagePicture | undefined) | undefined;
}

const tones: Readonly<Record<ScanRecord["verdict"], Tone>> = { backdoored: "bad", clean: "good", undecided: "unsure" };

/** The page of a scan. Nothing on it is typed: it all comes from the record. */
export function scanPage(record: ScanRecord, options: ScanPageOptions = {}): Page {
  const { title = "Scan", seconds } = options;
  const { verdict: answer, reason, notes, model, images } = record;
  return {
    title,
    lead: `${model.classes} classes, ${images.given} clean images${seconds === undefined ? "" : `, ${formatSeconds(seconds)}`}.`,
    blocks: [
      verdict(tones[answer], capital(answer), targetsOf(record) + reason),
      ...(notes.length === 0 ? [] : [list(notes)]),
      heading(2, "Classes"),
      ...classBlocks(record),
      heading(2, "Triggers"),
      ...triggerBlocks(record, options),
      heading(2, "What it rests on"),
      ...provenance(record),
    ],
    footer: "Rendered by untrigger from scan.json; do not edit.",
  };
}

function targetsOf({ targets, classes }: ScanRecord): string {
  if (targets.length === 0) return "";
  const names = targets.map((k) => nameOf(classes.find((one) => one.class === k) ?? { class: k, label: null }));
  return `Target: ${names.join(", ")}. `;
}

function nameOf({ class: k, label }: Pick<ScanClass, "class" | "label">): string {
  return label === null || label === String(k) ? String(k) : `${k} ${label}`;
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function classBlocks({ classes, references, anomaly, pValue }: ScanRecord): Block[] {
  const figures = (one: ScanClass) => [
    nameOf(one),
    { content: formatFigure(one.score), sort: one.score },
    { content: formatPValue(one.pValue), sort: one.pValue },
    { content: formatPercent(one.attackSuccessRate), sort: one.attackSuccessRate, heat: one.attackSuccessRate },
    { content: formatPercent(one.measure?.success ?? null), sort: one.measure?.success ?? null },
    { content: formatPercent(one.measure?.carried ?? null), sort: one.measure?.carried ?? null },
    { content: formatFigure(one.measure?.norm ?? null), sort: one.measure?.norm ?? null },
    { content: formatFigure(one.measure?.mask ?? null), sort: one.measure?.mask ?? null },
    { content: formatPercent(one.measure?.warp ?? null), sort: one.measure?.warp ?? null },
    { content: formatFigure(one.driftScore), sort: one.driftScore },
  ];
  const titles = [
    "score",
    "p",
    "ASR of the best trigger",
    "bounded: ASR",
    "on judges",
    "least L2",
    "least mask",
    "warp: ASR",
    "drift",
  ];
  const shown = classes.filter((one) => one.score !== null);
  const blocks: Block[] = [
    table({
      caption: "Each class: how far it stands out among the references, and the figures behind that",
      columns: [{ title: "class" }, ...titles.map((title) => ({ title, align: "right" as const }))],
      rows: classes.map(figures),
      sortable: true,
    }),
  ];
  if (references !== null && references.scores.length > 0) {
    const highest = Math.max(...references.scores);
    const rows = shown.map((one) => ({
      label: nameOf(one),
      values: [{ value: one.score ?? 0, text: formatFigure(one.score) }],
    }));
    blocks.push(
      figure(
        "scores",
        intervalChart({
          title: "Score of each class",
          axis: { label: "deviations of the references" },
          series: ["score"],
          groups: [{ rows }],
          reference: { value: highest, label: "highest of any reference" },
        }),
      ),
      figure(
        "null",
        histogram({
          title: "Most suspicious class of each model",
          label: "score",
          samples: [
            { label: "references", values: references.scores },
            { label: "this model", values: [Math.max(...shown.map((one) => one.score ?? 0))] },
          ],
        }),
        `The share of models, this one included, that score as high is p = ${formatPValue(pValue)}.`,
      ),
    );
  }
  if (anomaly !== null) {
    const flagged = anomaly.flagged.length === 0 ? "no class" : `class ${anomaly.flagged.join(", ")}`;
    blocks.push(
      paragraph(
        `The published rule without any clean model (median deviations of the masks, above 2): index ${formatFigure(anomaly.index)}, ${flagged}. It flags clean models and misses backdoors, and has no part in the verdict.`,
      ),
    );
  }
  return blocks;
}

function triggerBlocks(record: ScanRecord, { picture }: ScanPageOptions): Block[] {
  const { triggers, classes, trueTrigger } = record;
  if (triggers.length === 0) return [paragraph("No trigger was looked for.")];
  const right = ["ASR, other images", "without it", "pixels", "L2", "largest", "IoU"];
  const blocks: Block[] = [
    table({
      caption: "Reconstructed triggers, on images of other classes that they were not found on",
      columns: [{ title: "class, method" }, ...right.map((title) => ({ title, align: "right" as const }))],
      rows: triggers.map((one) => [
        `${one.class}, ${one.method}`,
        { content: formatShare(one.others), sort: one.others.hits / Math.max(1, one.others.total) },
        formatShare(one.floor),
        formatFigure(one.pixels),
        formatFigure(one.l2),
        formatFigure(one.linf),
        formatDecimal(one.iou),
      ]),
      sortable: true,
    }),
  ];
  if (trueTrigger !== null) {
    blocks.push(
      paragraph(
        `The true trigger (${trueTrigger.attack}, target ${trueTrigger.target ?? "of several"}) changes ${trueTrigger.pixels} pixels and moves ${formatShare(trueTrigger.success)} of these images.`,
      ),
    );
  }
  for (const one of triggers.filter(({ shown }) => shown)) {
    const name = nameOf(classes.find((each) => each.class === one.class) ?? { class: one.class, label: null });
    blocks.push(heading(3, `Class ${name}`), ...pictureBlocks(one, picture));
  }
  return blocks;
}

function pictureBlocks(one: ScanTrigger, picture: ScanPageOptions["picture"]): Block[] {
  const shown = (file: string, alt: string): PagePicture | null => {
    const path = one.files[file];
    return (path === undefined ? undefined : picture?.(path, alt)) ?? null;
  };
  const looks = [
    shown("trigger", "the reconstructed trigger"),
    shown("mask", "where it acts"),
    shown("heat", "where it acts, as heat"),
  ];
  const blocks: Block[] = [
    paragraph(`Found by ${one.method}: ${formatShare(one.others)} of other images.`),
    pictures({
      caption: "The trigger, where it acts, and the same in the colours of heat",
      columns: ["trigger", "mask", "heat"],
      rows: [{ label: "", pictures: looks }],
    }),
  ];
  if (one.images.length > 0) {
    blocks.push(
      pictures({
        caption: "Images without and with it",
        columns: ["clean", "triggered"],
        rows: one.images.map(({ name, before, after }, i) => ({
          label: `${name}: ${before} to ${after}`,
          pictures: [shown(`before-${i}`, `${name}, clean`), shown(`after-${i}`, `${name}, triggered`)],
        })),
      }),
    );
  }
  return blocks;
}

function provenance(record: ScanRecord): Block[] {
  const { model, images, references, methods, falsePositiveRate, seed, schema } = record;
  const compared =
    references === null
      ? "none"
      : `${references.count}, and ${references.judges} judges; accuracy ${formatPercent(references.accuracy)}`;
  return [
    facts([
      ["model", model.sha256],
      ["its accuracy on the images", formatPercent(model.accuracy)],
      ["images", `${images.given} given, ${images.labelled ? "with" : "without"} labels; ${images.probe} looked at`],
      ["references", compared],
      ...(references === null ? [] : [["references' key", references.key] as const]),
      ["stated false-positive rate", formatPercent(falsePositiveRate)],
      ["methods", methods.map(({ name }) => name).join(", ")],
      ["seed", String(seed)],
      ["schema", schema],
    ]),
  ];
}
