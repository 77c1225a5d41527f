/**
 * @file TrojAI's folders (NIST): of one model, with its ground truth and example pictures, and the table of a round. The
 * models themselves are pickled modules, which are code and are not read.
 * @source https://pages.nist.gov/trojai/docs/data.html
 */
import { z } from "zod";
import { FormatError, messageOf } from "../core/errors.ts";
import { printable, quote } from "../data/quote.ts";

/** What a trigger does. */
export interface TrojaiTrigger {
  /** Classes that are attacked; empty where the configuration does not say: all. */
  readonly sources: readonly number[];
  readonly target: number | undefined;
  /** `polygon`, `instagram`, …; `undefined` where the configuration does not say. */
  readonly type: string | undefined;
}

/** One example picture. */
export interface TrojaiExample {
  /** Path below the folder, with slashes. */
  readonly path: string;
  /** The class that it shows. */
  readonly label: number;
  /** The trigger that it carries, by its number; `undefined` for a clean one. */
  readonly trigger: number | undefined;
}

/** The folder of a model, as data. */
export interface TrojaiModel {
  /** `undefined` where neither `ground_truth.csv` nor the configuration says. */
  readonly poisoned: boolean | undefined;
  readonly architecture: string | undefined;
  readonly classes: number | undefined;
  readonly triggers: readonly TrojaiTrigger[];
  readonly clean: readonly TrojaiExample[];
  readonly triggered: readonly TrojaiExample[];
  /** The pickled module, where there is one. */
  readonly module: string | undefined;
}

/** The files that a model's folder is read from. */
export interface TrojaiFiles {
  /** Paths of all files below the folder, with slashes. */
  readonly paths: readonly string[];
  /** `config.json`, or `reduced-config.json`. */
  readonly config?: Uint8Array | undefined;
  /** `ground_truth.csv` */
  readonly groundTruth?: Uint8Array | undefined;
}

const classId = z.int().min(0).max(65_535);
const triggerSchema = z.object({
  source_class: classId.nullish(),
  source_classes: z.array(classId).nullish(),
  target_class: classId.nullish(),
  type: z.string().nullish(),
});
const configSchema = z.object({
  model_architecture: z.string().nullish(),
  number_classes: z.int().min(2).max(65_536).nullish(),
  poisoned: z.boolean().nullish(),
  triggers: z.array(triggerSchema).nullish(),
  triggered_classes: z.array(classId).nullish(),
  trigger_target_class: classId.nullish(),
});

const example = /(?:^|\/)class_(\d{1,5})(?:_trigger_(\d{1,3}))?_example_\d+\.(?:png|jpe?g)$/i;

/**
 * Reads the folder of a model. Keys of the configuration may be in capitals, as those of the first rounds.
 * @throws FormatError when the configuration or the ground truth is damaged, or there is nothing of TrojAI.
 */
export function readTrojaiModel({ paths, config, groundTruth }: TrojaiFiles): TrojaiModel {
  const found = config === undefined ? undefined : parseConfig(config);
  const examples = [...paths].sort().flatMap((path): TrojaiExample[] => {
    const [, label, trigger] = example.exec(path) ?? [];
    if (label === undefined) return [];
    return [{ path, label: Number(label), trigger: trigger === undefined ? undefined : Number(trigger) }];
  });
  if (found === undefined && groundTruth === undefined) {
    throw new FormatError("TrojAI: expected config.json or ground_truth.csv in the folder of a model, got neither.");
  }
  const isTriggered = ({ path, trigger }: TrojaiExample): boolean =>
    trigger !== undefined || /(^|\/)poisoned/.test(path);
  const poisoned = groundTruth === undefined ? (found?.poisoned ?? undefined) : truthOf(groundTruth);
  const whole = {
    sources: found?.triggered_classes ?? [],
    target: found?.trigger_target_class ?? undefined,
    type: undefined,
  };
  const triggers = (found?.triggers ?? []).map(
    ({ source_class: source, source_classes: sources, target_class: target, type }): TrojaiTrigger => ({
      sources: sources ?? (typeof source === "number" ? [source] : []),
      target: target ?? undefined,
      type: type ?? undefined,
    }),
  );
  return {
    poisoned,
    architecture: found?.model_architecture ?? undefined,
    classes: found?.number_classes ?? undefined,
    triggers: triggers.length === 0 && whole.target !== undefined ? [whole] : triggers,
    clean: examples.filter((one) => !isTriggered(one)),
    triggered: examples.filter(isTriggered),
    module: paths.find((path) => /(^|\/)model\.pt$/.test(path)),
  };
}

/** One row of a round's table. */
export interface TrojaiRow {
  readonly model: string;
  readonly poisoned: boolean | undefined;
}

/** Reads a round's `METADATA.csv`: which models are poisoned. @throws FormatError when columns are missing. */
export function readTrojaiMetadata(bytes: Uint8Array, name = "METADATA.csv"): TrojaiRow[] {
  const [header = [], ...rows] = csvLines(new TextDecoder().decode(bytes), name);
  const column = (...names: readonly string[]): number =>
    header.findIndex((title) => names.includes(title.toLowerCase()));
  const [model, truth] = [column("model_name", "model"), column("ground_truth", "poisoned")];
  if (model === -1 || truth === -1) {
    throw new FormatError(
      `${name}: expected the columns model_name and ground_truth (or poisoned), got ${printable(header.join(", "))}.`,
    );
  }
  return rows.map((row, i) => {
    if (row.length !== header.length) {
      throw new FormatError(`${name}: expected ${header.length} values in row ${i + 1}, got ${row.length}.`);
    }
    return { model: row[model] ?? "", poisoned: flagOf(row[truth] ?? "") };
  });
}

function parseConfig(bytes: Uint8Array): z.output<typeof configSchema> {
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const isObject = typeof json === "object" && json !== null && !Array.isArray(json);
    const lower = isObject
      ? Object.fromEntries(Object.entries(json).map(([key, value]) => [key.toLowerCase(), value]))
      : json;
    return configSchema.parse(lower);
  } catch (cause) {
    const why =
      cause instanceof z.ZodError
        ? `${cause.issues[0]?.path.join(".")}: ${cause.issues[0]?.message}`
        : messageOf(cause);
    throw new FormatError(`config.json: expected the configuration of a TrojAI model; ${why}.`, { cause });
  }
}

/** `0` or `1`, or several of them, one for each class. */
function truthOf(bytes: Uint8Array): boolean {
  const text = new TextDecoder().decode(bytes).trim();
  const flags = text.split(/[\s,]+/);
  if (flags.every((flag) => /^[01](\.0*)?$/.test(flag))) return flags.some((flag) => flag.startsWith("1"));
  throw new FormatError(`ground_truth.csv: expected 0 or 1, got ${quote(text)}.`);
}

function flagOf(text: string): boolean | undefined {
  if (/^(1(\.0*)?|true)$/i.test(text)) return true;
  return /^(0(\.0*)?|false)$/i.test(text) ? false : undefined;
}

/** Lines of values between commas; quotes may hold commas, and lists hold them in brackets inside quotes. */
function csvLines(text: string, name: string): string[][] {
  const lines = text.trimEnd().split(/\r?\n/);
  if (lines.length > 1_000_000) throw new FormatError(`${name}: expected at most 1000000 rows, got ${lines.length}.`);
  return lines.map((line) =>
    [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(([, quoted, plain]) =>
      quoted === undefined ? (plain ?? "") : quoted.replaceAll('""', '"'),
    ),
  );
}
