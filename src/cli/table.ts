/** @file Text in columns. */

/** Rows with their cells aligned; the last column is not padded. Empty for no rows. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  }
  return rows
    .map((row) => {
      const cells = row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)));
      return `${cells.join("  ").trimEnd()}\n`;
    })
    .join("");
}
