/** @file Which class of a model is the most suspicious one. */

/** The class with the highest score; `null` where several share it, or none has any. */
export function onTop(classes: readonly { readonly class: number; readonly score: number | null }[]): number | null {
  const scores = classes.flatMap(({ score }) => (score === null || Number.isNaN(score) ? [] : score));
  const highest = Math.max(...scores);
  const best = classes.filter(({ score }) => score === highest);
  return best.length === 1 ? (best[0]?.class ?? null) : null;
}
