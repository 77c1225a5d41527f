/** @file Rows of a bench as comma-separated values: what a spreadsheet or a data frame reads. */
import {
  type BenchCounts,
  type BenchDone,
  type BenchInversion,
  type BenchRow,
  type BenchShare,
  latestRows,
} from "../results/bench-row.ts";

type Value = string | number | null;

/** A column: its name, and its value in a row; `done` is the row again where it was computed. */
type Column = readonly [name: string, value: (row: BenchRow, done: BenchDone | null) => Value];

/**
 * One line a cell and seed, a header first, lines ended as RFC 4180 says. Each share is four columns: hits, total, low and
 * high. Text that a spreadsheet would take for a formula begins with an apostrophe.
 */
export function benchCsv(rows: readonly BenchRow[]): string {
  const lines = latestRows(rows).map((row) =>
    columns.map(([, value]) => value(row, row.status === "done" ? row : null)),
  );
  return [columns.map(([name]) => name), ...lines].map((line) => `${line.map(field).join(",")}\r\n`).join("");
}

const counted = [
  "cleanAccuracy",
  "poisonedAccuracy",
  "poisonedAccuracyAllClasses",
  "attackSuccess",
  "attackSuccessAllClasses",
  "floor",
] as const satisfies readonly (keyof BenchCounts)[];

const columns: readonly Column[] = [
  ["cell", ({ cell }) => cell],
  ["status", ({ status }) => status],
  ["data", ({ data }) => data.name],
  ["split", ({ data }) => data.split],
  ["dataHash", ({ data }) => data.hash],
  ["attack", ({ attack }) => attack.name],
  ["attackPreset", ({ attack }) => attack.preset],
  ["attackOptions", ({ attack }) => JSON.stringify(attack.options)],
  ["target", ({ target }) => target],
  ["defenceKind", ({ defence }) => defence.kind],
  ["defence", ({ defence }) => defence.name],
  ["defencePreset", ({ defence }) => defence.preset],
  ["defenceOptions", ({ defence }) => JSON.stringify(defence.options)],
  ["seed", ({ seed }) => seed],
  ["images", (_, done) => done?.images ?? null],
  ...counted.flatMap((name) => shareColumns(name, ({ counts }) => counts[name])),
  ...counted.flatMap((name) => shareColumns(`${name}Top5`, ({ countsTop5 }) => countsTop5?.[name] ?? null)),
  ["auroc", (_, done) => done?.detection?.auroc ?? null],
  ...shareColumns("falsePositives", ({ detection }) => detection?.falsePositives ?? null),
  ...shareColumns("truePositives", ({ detection }) => detection?.truePositives ?? null),
  ["secondsOnce", (_, done) => done?.secondsOnce ?? null],
  ["topClass", (_, done) => (done?.inversion ?? done?.scan)?.top ?? null],
  ["anomalyIndex", (_, done) => done?.inversion?.anomaly?.index ?? null],
  ["anomalyFlagged", (_, done) => done?.inversion?.anomaly?.flagged.join(" ") ?? null],
  ...shareColumns("reconstruction", (done) => targetOf(done)?.success ?? null),
  ...(["pixels", "l1", "l2", "linf", "iou"] as const).map((figure): Column => {
    return [`reconstruction${capital(figure)}`, (_, done) => (done && targetOf(done)?.[figure]) ?? null];
  }),
  ["verdict", (_, done) => done?.scan?.verdict ?? null],
  ["pValue", (_, done) => done?.scan?.pValue ?? null],
  ["secondsPerImage", (_, done) => done?.secondsPerImage ?? null],
  ["networkCallsPerImage", (_, done) => done?.networkCallsPerImage ?? null],
  ["classifierCallsPerImage", (_, done) => done?.classifierCallsPerImage ?? null],
  ["seconds", ({ seconds }) => seconds],
  ["classifierHash", ({ classifierHash }) => classifierHash],
  ["priorHash", ({ priorHash }) => priorHash],
  ["precision", ({ precision }) => precision],
  ["versions", ({ versions }) => JSON.stringify(versions)],
  ["device", ({ host }) => host.device],
  ["processor", ({ host }) => host.processor],
  ["threads", ({ host }) => host.threads],
  ["command", ({ command }) => command],
  ["finished", ({ finished }) => finished],
  ["error", (row) => (row.status === "failed" ? row.error.message : null)],
];

function shareColumns(name: string, pick: (row: BenchDone) => BenchShare | null): readonly Column[] {
  return (["hits", "total", "low", "high"] as const).map((part) => [
    `${name}${capital(part)}`,
    (_, done) => (done === null ? null : (pick(done)?.[part] ?? null)),
  ]);
}

/** What an inverter found for the attacker's class. */
function targetOf({ target, inversion }: BenchDone): BenchInversion["classes"][number] | undefined {
  return inversion?.classes.find((one) => one.class === target);
}

function capital(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
}

function field(value: Value): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
