/**
 * @file Where every figure comes from: rows that agree in data, models, versions, host and command are one run, and each row
 * of the page names its run.
 */
import { hashJson } from "../../core/hash.ts";
import type { BenchMethod, BenchRow } from "../../results/bench-row.ts";
import { formatCount, formatSeconds } from "../numbers.ts";
import { type Block, code, codeBlock, heading, paragraph, type Text, table } from "../page/tree.ts";
import type { Bench } from "./cells.ts";
import { groupBy } from "./group.ts";
import { methodKey } from "./labels.ts";

/** Heading of the section, and the address of what stands below it. */
export const RUNS = "Provenance";
/** Digits of a hash that the page shows; rows have all of them. */
const DIGITS = 16;

/** Numbers of runs, from 1, by row. */
export type Runs = ReadonlyMap<BenchRow, number>;

/** Numbers the runs of a bench. */
export function runsOf({ rows }: Bench): Runs {
  const groups = [...groupBy(rows, runKey).values()];
  return new Map(groups.flatMap((group, i) => group.map((row) => [row, i + 1] as const)));
}

function runKey({ data, classifierHash, priorHash, precision, versions, host, command }: BenchRow): string {
  return hashJson([data, classifierHash, priorHash, precision, versions, host, command]);
}

/** A table of runs, the commands, and the complete options of all methods. */
export function provenanceBlocks(bench: Bench, runs: Runs): readonly Block[] {
  const groups = [...groupBy(bench.rows, (row) => runs.get(row) ?? 0)];
  const commands = new Set(bench.rows.map(({ command }) => command));
  return [
    heading(2, RUNS),
    paragraph(
      `Every row names its run. Hashes are SHA-256, their first ${formatCount(DIGITS)} digits; the rows in `,
      code("results.jsonl"),
      " have all of them.",
    ),
    commands.size === 1
      ? codeBlock([...commands].join("\n"), "sh")
      : paragraph(`${formatCount(commands.size)} different commands; the table has them.`),
    table({
      caption: "Runs",
      sortable: true,
      columns: [
        { title: "Run" },
        { title: "Data" },
        { title: "Classifier" },
        { title: "Prior" },
        { title: "Versions" },
        { title: "Host" },
        { title: "Seeds" },
        { title: "Rows", align: "right" },
        { title: "Time", align: "right" },
        { title: "Finished" },
        ...(commands.size === 1 ? [] : [{ title: "Command" }]),
      ],
      rows: groups.map(([run, rows]) => [
        { content: `run ${run}`, sort: run },
        ...runCells(rows),
        ...(commands.size === 1 ? [] : [code(rows[0]?.command ?? "")]),
      ]),
    }),
    heading(3, "Options"),
    optionsTable("Attacks", bench, ({ attack }, labels) => [labels.attack, attack]),
    optionsTable("Defences", bench, ({ defence }, labels) => [labels.defence, defence]),
  ];
}

function runCells(rows: readonly BenchRow[]): (Text | { content: Text; sort: number })[] {
  const [first] = rows;
  if (first === undefined) return [];
  const { data, classifierHash, priorHash, precision, versions, host } = first;
  const seconds = rows.reduce((sum, row) => sum + row.seconds, 0);
  const finished = rows.map((row) => row.finished).sort();
  const days = [...new Set([finished[0], finished.at(-1)].map((time) => time?.slice(0, 10) ?? ""))];
  return [
    [`${data.name} ${data.split} `, code(data.hash.slice(0, DIGITS))],
    hashText(classifierHash),
    precision === null ? hashText(priorHash) : [hashText(priorHash), ` ${precision}`].flat(),
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", "),
    `${host.device}, ${host.processor ?? "unnamed processor"}, ${host.threads === 1 ? "1 thread" : `${formatCount(host.threads)} threads`}`,
    seedList(rows.map(({ seed }) => seed)),
    { content: formatCount(rows.length), sort: rows.length },
    { content: formatSeconds(seconds), sort: seconds },
    days.join(" to "),
  ];
}

function hashText(hash: string | null): Text {
  return hash === null ? "none" : code(hash.slice(0, DIGITS));
}

/** Different seeds in ascending order, the middle of many left out. */
function seedList(seeds: readonly number[]): string {
  const sorted = [...new Set(seeds)].sort((a, b) => a - b);
  return sorted.length <= 8 ? sorted.join(", ") : `${sorted[0]} to ${sorted.at(-1)} (${formatCount(sorted.length)})`;
}

type Labels = ReturnType<Bench["labelsOf"]>;

function optionsTable(
  caption: string,
  bench: Bench,
  pick: (row: BenchRow, labels: Labels) => readonly [label: string, method: BenchMethod & { readonly kind?: string }],
): Block {
  const methods = new Map(bench.rows.map((row) => pick(row, bench.labelsOf(row))));
  return table({
    caption,
    columns: [
      { title: caption === "Attacks" ? "Attack" : "Defence" },
      { title: "Kind" },
      { title: "Options" },
      { title: "Hash" },
    ],
    rows: [...methods].map(([label, method]) => [
      label,
      method.kind ?? "attack",
      code(JSON.stringify(method.options)),
      code(methodKey(method).slice(0, DIGITS)),
    ]),
  });
}
