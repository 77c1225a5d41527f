/** @file Tables as text: a line of names, then a line for each row. */
import { FormatError } from "../core/errors.ts";
import { printable } from "./quote.ts";

/** Most rows of a table. */
const MOST_ROWS = 10_000_000;

/**
 * Some columns of a table whose values hold no quotes: those between semicolons, in the order asked for.
 * @param name what to call the file in messages.
 * @throws FormatError when a column is missing or a row has another number of values.
 */
export function csvRows(bytes: Uint8Array, name: string, columns: readonly string[]): string[][] {
  const lines = new TextDecoder().decode(bytes).trimEnd().split(/\r?\n/, MOST_ROWS);
  const header = (lines[0] ?? "").split(";");
  const places = columns.map((column) => header.indexOf(column));
  if (places.includes(-1)) {
    throw new FormatError(`${name}: expected the columns ${columns.join(" and ")}, got ${printable(lines[0] ?? "")}.`);
  }
  return lines.slice(1).map((line, i) => {
    const values = line.split(";");
    if (values.length !== header.length) {
      throw new FormatError(`${name}: expected ${header.length} values in line ${i + 2}, got ${values.length}.`);
    }
    return places.map((place) => values[place] ?? "");
  });
}
