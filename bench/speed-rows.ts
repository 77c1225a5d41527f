/** @file What a race of one network against PyTorch measured: rows, their table, their files. */
import { mkdir, writeFile } from "node:fs/promises";
import { PEAK_FLOPS } from "./matmul-peak.ts";
import { markdownTable, median } from "./timing.ts";

/** One network at one batch size. */
export interface SpeedRow {
  readonly schema: "untrigger/gradient-speed@1" | "untrigger/training-speed@1";
  readonly what: string;
  readonly batch: number;
  readonly threads: number;
  readonly rounds: number;
  /** What seconds are: of the processor (one thread), or on the wall. */
  readonly clock: "cpu" | "wall";
  /** Seconds of each contestant, medians of the rounds. `peak` is one product of matrices. */
  readonly seconds: Readonly<Record<string, number>>;
  /** Multiplications and additions that the work asks for, in products alone. */
  readonly flops: number;
  /** Length of the difference to PyTorch's gradient, in units of its length; where both have the same weights. */
  readonly difference?: number | undefined;
}

/** Which seconds are measured at a number of threads: the machine may be shared, so one thread is measured by its own. */
export function clockOf(threads: number): SpeedRow["clock"] {
  return threads === 1 ? "cpu" : "wall";
}

/** Medians of a race. */
export function mediansOf(times: ReadonlyMap<string, readonly number[]>): Record<string, number> {
  return Object.fromEntries([...times].map(([name, seconds]) => [name, median(seconds)]));
}

/** How much time one contestant takes in units of another's. */
export function ratioOf({ seconds }: SpeedRow, name: string, other: string): number {
  return (seconds[name] ?? Number.NaN) / (seconds[other] ?? Number.NaN);
}

/** Which share of the speed of one large product a contestant reaches. */
export function shareOf({ seconds, flops }: SpeedRow, name: string): number {
  return flops / (seconds[name] ?? Number.NaN) / (PEAK_FLOPS / (seconds["peak"] ?? Number.NaN));
}

/** @param ours our contestants. @param peers PyTorch's, the first of which ratios are taken of. */
export function speedTable(rows: readonly SpeedRow[], ours: readonly string[], peers: readonly string[]): string {
  const ms = (seconds: number | undefined): string => (seconds === undefined ? "" : (1000 * seconds).toFixed(1));
  const [first = ""] = peers;
  const head = [
    ...["Network", "Batch", "Threads"],
    ...[...ours, ...peers].map((name) => `${name}, ms`),
    ...ours.flatMap((name) => [`${name} / ${first}`, `${name}, share of peak`]),
  ];
  const body = rows.map((row) => [
    ...[row.what, String(row.batch), String(row.threads)],
    ...[...ours, ...peers].map((name) => ms(row.seconds[name])),
    ...ours.flatMap((name) => [
      `${ratioOf(row, name, first).toFixed(2)}x`,
      `${(100 * shareOf(row, name)).toFixed(0)} %`,
    ]),
  ]);
  return markdownTable(head, body);
}

/** Writes `docs/results/NAME.jsonl`, and `NAME.md` with a text around the table. */
export async function saveRows(name: string, rows: readonly SpeedRow[], page: string): Promise<void> {
  await mkdir("docs/results", { recursive: true });
  await writeFile(`docs/results/${name}.jsonl`, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  await writeFile(`docs/results/${name}.md`, page);
}
