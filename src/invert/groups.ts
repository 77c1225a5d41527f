/** @file Searches that go on together: as many as fit into one batch of bounded size. */

/** Values of the batch of one step. */
const MOST_VALUES = 2 ** 22;

/**
 * Cuts a list of searches into groups, each of at least one.
 * @param values how many values one search adds to the batch of a step: images times pixels.
 */
export function inGroups<T>(searches: readonly T[], values: number): readonly (readonly T[])[] {
  const together = Math.max(1, Math.floor(MOST_VALUES / values));
  const count = Math.ceil(searches.length / together);
  return Array.from({ length: count }, (_, i) => searches.slice(i * together, (i + 1) * together));
}
