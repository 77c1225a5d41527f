/**
 * @file Files of rows, one JSON object a line. They grow by whole lines, so that a killed run leaves at most its last line
 * half-written; reading repairs that and refuses everything else that is not what it says.
 */
import type { z } from "zod";
import { FormatError } from "../core/errors.ts";

/** What a file of rows holds. */
export interface JsonLines<Row> {
  readonly rows: readonly Row[];
  /** Bytes up to the end of the last whole row: cut the file there before more rows go to it. */
  readonly intactBytes: number;
  /** Whether the intact part ends a line; where not, a line feed is due before the next row. */
  readonly endsLine: boolean;
  /** One sentence on what was repaired; `null` for a file in order. */
  readonly note: string | null;
}

/** What the rows must be. */
export interface JsonLinesOptions<Row> {
  /** The version that each row states in its `schema`. */
  readonly version: string;
  /** Schema of one row. */
  readonly row: z.ZodType<Row>;
  /** What to call the file in messages. */
  readonly name: string;
}

/**
 * Reads a file of rows. A last line that is no JSON was being written when its writer died: it is left out, and the note
 * says so. Empty lines are passed over.
 * @throws FormatError for rows of another schema version, for a damaged line before the last one, and for a row that is not
 * what its schema says; it names the line.
 */
export function readJsonLines<Row>(bytes: Uint8Array, { version, row, name }: JsonLinesOptions<Row>): JsonLines<Row> {
  const rows: Row[] = [];
  const strict = new TextDecoder("utf-8", { fatal: true });
  const decode = (line: Uint8Array): string => strict.decode(line);
  let number = 0;
  let from = 0;
  while (from < bytes.length) {
    const feed = bytes.indexOf(LINE_FEED, from);
    const to = feed < 0 ? bytes.length : feed;
    number++;
    const value = parsed(bytes.subarray(from, to), decode);
    if (value === DAMAGED) {
      if (!isBlank(bytes, to)) {
        throw new FormatError(`${name}, line ${number}: expected a row as JSON, got a damaged line.`);
      }
      const note = `${name}: left out line ${number}, the last one: it was half-written (${to - from} bytes).`;
      return { rows, intactBytes: from, endsLine: true, note };
    }
    if (value !== EMPTY) rows.push(checked(value, `${name}, line ${number}`, { version, row }));
    from = to + 1;
  }
  const endsLine = bytes.length === 0 || bytes.at(-1) === LINE_FEED;
  const note = endsLine ? null : `${name}: the last row, on line ${number}, has no line feed after it.`;
  return { rows, intactBytes: bytes.length, endsLine, note };
}

const LINE_FEED = 10;
const DAMAGED = Symbol("damaged");
const EMPTY = Symbol("empty");

function parsed(line: Uint8Array, decode: (line: Uint8Array) => string): unknown {
  try {
    const text = decode(line);
    return text.trim() === "" ? EMPTY : JSON.parse(text);
  } catch {
    return DAMAGED;
  }
}

/** Whether nothing but white space follows. */
function isBlank(bytes: Uint8Array, from: number): boolean {
  return bytes.subarray(from).every((byte) => byte === 32 || (byte >= 9 && byte <= 13));
}

function checked<Row>(
  value: unknown,
  where: string,
  { version, row }: Pick<JsonLinesOptions<Row>, "version" | "row">,
): Row {
  const got = typeof value === "object" && value !== null && "schema" in value ? value.schema : undefined;
  if (got !== version) {
    const stated = typeof got === "string" ? `"${got.slice(0, 60).replaceAll(/\p{C}/gu, "?")}"` : "none";
    throw new FormatError(
      `${where}: expected schema "${version}", got ${stated}; because another program or version wrote it. Choose another folder for new results, or read this one with what wrote it.`,
    );
  }
  const result = row.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new FormatError(
    `${where}: expected a row of schema "${version}", got field "${issue?.path.join(".") ?? ""}" wrong (${issue?.message ?? "unknown"}).`,
  );
}
