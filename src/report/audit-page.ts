/** @file An audit as a page: the verdict, what was found, how the prior stands among clean ones, and what lies in its folder. */
import type { AuditFinding, AuditRecord } from "../results/audit-record.ts";
import { histogram } from "./charts/histogram.ts";
import { lineChart } from "./charts/line-chart.ts";
import { formatBytes, formatFigure, formatPercent, formatPValue, formatSeconds } from "./numbers.ts";
import {
  type Block,
  badge,
  code,
  details,
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

/** What an audit's page is told besides the record. */
export interface AuditPageOptions {
  readonly title?: string | undefined;
  readonly seconds?: number | undefined;
  /** The picture of a name: `found`, `samples`. */
  readonly picture?: ((name: string, alt: string) => PagePicture | undefined) | undefined;
}

const tones: Readonly<Record<AuditRecord["verdict"], Tone>> = { backdoored: "bad", clean: "good", undecided: "unsure" };
const severities: Readonly<Record<AuditFinding["severity"], Tone>> = {
  high: "bad",
  medium: "unsure",
  low: "plain",
  info: "plain",
};

/** The page of an audit. Nothing on it is typed: it all comes from the record. */
export function auditPage(record: AuditRecord, options: AuditPageOptions = {}): Page {
  const { title = "Audit", seconds } = options;
  const { verdict: answer, reason, findings, prior } = record;
  const { channels, height, width } = prior.dims;
  const took = seconds === undefined ? "" : `, ${formatSeconds(seconds)}`;
  return {
    title,
    lead: `Images of ${channels}x${height}x${width}, ${prior.steps} steps, predicts ${prior.prediction}, ${prior.parameters.toLocaleString("en")} numbers${took}.`,
    blocks: [
      verdict(tones[answer], answer.charAt(0).toUpperCase() + answer.slice(1), reason),
      list(findings.map(({ severity, text }) => [badge(severities[severity], severity), ` ${text}`])),
      heading(2, "Behaviour"),
      ...behaviour(record, options),
      heading(2, "Among clean priors"),
      ...comparison(record),
      heading(2, "Supply chain"),
      ...supplyChain(record),
      heading(2, "What it rests on"),
      provenance(record),
    ],
    footer: "Rendered by untrigger from audit.json; do not edit.",
  };
}

function behaviour({ measure, pruning }: AuditRecord, { picture }: AuditPageOptions): Block[] {
  const { error, diversity, agreement, residuals, curve } = measure;
  const shown = (name: string, alt: string): Block[] => {
    const found = picture?.(name, alt);
    return found === undefined
      ? []
      : [pictures({ caption: alt, columns: [""], rows: [{ label: "", pictures: [found] }] })];
  };
  const indices = residuals.map(({ index }) => index);
  return [
    facts([
      ["error of the supposed target", formatFigure(error)],
      ["diversity of plain samples", formatFigure(diversity.plain)],
      ["diversity of shifted samples", formatFigure(diversity.shifted)],
      ["agreement of plain samples", formatFigure(agreement.plain)],
      ["agreement of shifted samples", formatFigure(agreement.shifted)],
    ]),
    ...shown("found", "The shift that was found, the target that belongs to it, and the mean of what was sampled"),
    ...shown("samples", "Samples from plain and from shifted noise"),
    figure(
      "search",
      lineChart({
        title: "Error over the search",
        x: { label: "step" },
        y: { label: "error of the target" },
        series: [{ label: "nearest start", x: curve.map((_, i) => i + 1), y: curve }],
      }),
    ),
    figure(
      "residuals",
      lineChart({
        title: "How much of the shift is taken for noise",
        x: { label: "index t" },
        y: { label: "share of the shift" },
        series: [
          { label: "this prior", x: indices, y: residuals.map(({ follows }) => follows) },
          { label: "all of it", x: indices, y: residuals.map(({ clean }) => clean) },
          { label: "BadDiffusion", x: indices, y: residuals.map(({ backdoored }) => backdoored) },
        ],
      }),
      "Clean nets need not follow a shift that they have never seen; this curve is shown, and has no part in the verdict.",
    ),
    table({
      caption: "Denoising the prior's own samples",
      columns: [{ title: "t" }, { title: "mean squared error of the noise", align: "right" }],
      rows: residuals.map(({ index, loss }) => [String(index), formatFigure(loss)]),
    }),
    ...(pruning === null
      ? []
      : [
          table({
            caption: `Channels disturbed by up to ${pruning.budget}: samples of the undisturbed prior differ by ${formatFigure(pruning.plain)}`,
            columns: [{ title: "epoch" }, { title: "loss", align: "right" }, { title: "diversity", align: "right" }],
            rows: pruning.epochs.map(({ loss, diversity: left }, i) => [
              String(i + 1),
              formatFigure(loss),
              formatFigure(left),
            ]),
          }),
        ]),
  ];
}

function comparison({ measure, references, pValue, falsePositiveRate }: AuditRecord): Block[] {
  if (references.length === 0) return [paragraph("No clean prior was given, so that no score can be called high.")];
  const row = (name: string, { score }: { score: number }) => [name, { content: formatFigure(score), sort: score }];
  return [
    table({
      caption: "Agreement of shifted samples, in orders of magnitude",
      columns: [{ title: "prior" }, { title: "score", align: "right" }],
      rows: [row("audited", measure), ...references.map((one) => row(one.name, one))],
      sortable: true,
    }),
    figure(
      "null",
      histogram({
        title: "Score of each prior",
        label: "score",
        samples: [
          { label: "clean priors", values: references.map(({ score }) => score) },
          { label: "this prior", values: [measure.score] },
        ],
      }),
      `p = ${formatPValue(pValue)}; stated rate ${formatPercent(falsePositiveRate)}.`,
    ),
  ];
}

function supplyChain({ files, licences, tensors }: AuditRecord): Block[] {
  return [
    table({
      caption: "Files",
      columns: [{ title: "file" }, { title: "size", align: "right" }, { title: "SHA-256" }],
      rows: files.map(({ name, bytes, sha256 }) => [code(name), formatBytes(bytes), code(sha256)]),
    }),
    ...(licences.length === 0 ? [] : [facts(licences.map(({ file, text }) => [file, text] as const))]),
    details(`${tensors.length} tensors`, [
      table({
        caption: "Tensors",
        columns: [
          { title: "name" },
          { title: "dims" },
          { title: "type" },
          { title: "mean", align: "right" },
          { title: "deviation", align: "right" },
          { title: "largest", align: "right" },
        ],
        rows: tensors.map(({ name, dims, dtype, mean, deviation, largest }) => [
          code(name),
          `[${dims.join(", ")}]`,
          dtype,
          { content: formatFigure(mean), sort: mean },
          { content: formatFigure(deviation), sort: deviation },
          { content: formatFigure(largest), sort: largest },
        ]),
        sortable: true,
      }),
    ]),
  ];
}

function provenance({ prior, measure, seed, schema }: AuditRecord): Block {
  return facts([
    ["graph", prior.hash],
    ["settings", JSON.stringify(measure.settings)],
    ["seed", String(seed)],
    ["schema", schema],
  ]);
}
