/** @file What a gateway did under more than it can do: a row, and the page of all rows. */
import { readRowLines } from "./row-lines.ts";
import { markdownTable } from "./timing.ts";

/** One run. */
export interface LoadRow {
  readonly schema: "untrigger/gateway-load@1";
  readonly version: string;
  readonly node: string;
  readonly threads: number;
  readonly seed: number;
  readonly minutes: number;
  /** Images a second while half a queue was always waiting, before the run. */
  readonly capacity: number;
  /** Requests of one image a second that were sent, come what may. */
  readonly offered: number;
  /** Answers by what they were; `wrong` are those with status 200 and another result than was computed beforehand. */
  readonly answers: {
    readonly right: number;
    readonly wrong: number;
    readonly busy: number;
    /** Any other status, or none. */
    readonly other: number;
  };
  /** Milliseconds until a right answer: median and 99th percentile. */
  readonly milliseconds: { readonly p50: number; readonly p99: number };
  /** MiB that the gateway's process held. The slope is of the least-squares line through the second half, in MiB an hour. */
  readonly resident: {
    readonly start: number;
    readonly median: number;
    readonly end: number;
    readonly slope: number;
    readonly samples: number;
  };
  readonly crashed: boolean;
}

/** The rows of a `.jsonl` file. */
export const readLoadRows = readRowLines<LoadRow>;

/** Rows as a Markdown table. */
export function loadTable(rows: readonly LoadRow[]): string {
  return markdownTable(
    [
      "Minutes",
      "Capacity, images/s",
      "Sent/s",
      "Right",
      "Wrong",
      "429",
      "Other",
      "p50, p99, ms",
      "RSS, MiB",
      "MiB/h",
      "Crashed",
    ],
    rows.map(({ minutes, capacity, offered, answers, milliseconds, resident, crashed }) => [
      ...[String(minutes), capacity.toFixed(1), offered.toFixed(1)],
      ...[answers.right, answers.wrong, answers.busy, answers.other].map(String),
      [milliseconds.p50, milliseconds.p99].map((value) => value.toFixed(0)).join(", "),
      [resident.start, resident.median, resident.end].map((value) => value.toFixed(0)).join(" → "),
      resident.slope.toFixed(1),
      crashed ? "yes" : "no",
    ]),
  );
}

/** The page of `docs/results/gateway-load.md`. */
export function loadPage(rows: readonly LoadRow[]): string {
  return `# The gateway under twice its load

Rendered by \`npm run docs\` from [gateway-load.jsonl](gateway-load.jsonl), which \`npm run bench -- gateway-load --minutes 30\`
measures; do not edit. A gateway with the shipped Fashion-MNIST classifier and prior (DiffPure, \`fast\`; no cache) and what asks it
share a machine. First its capacity is measured; then single images arrive at twice that, at random moments and whether or not
earlier ones are answered. An answer is right when it has status 200 and the probabilities that the library computed
beforehand for the same pixels and seed, within 1e-4. RSS is the gateway process's at the start, in the median and at the end; MiB/h
is the slope of the second half, which a short run leaves to chance.

${loadTable(rows)}
`;
}

/** Slope of the least-squares line through points. */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (k: 0 | 1): number => points.reduce((sum, point) => sum + point[k], 0) / points.length;
  const [mx, my] = [mean(0), mean(1)];
  const over = points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  return over / points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
}
