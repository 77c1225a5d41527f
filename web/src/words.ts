/** @file Labels and numbers as the page writes them. */

/** A class by name, or by number where it has none. */
export function nameOf(label: number | null, labels: readonly string[] | null): string {
  return label === null ? "–" : (labels?.[label] ?? `class ${label}`);
}

/** A share 0..1 in per cent. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(share > 0 && share < 0.01 ? 2 : 0)} %`;
}
