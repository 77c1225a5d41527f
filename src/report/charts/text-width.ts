/**
 * @file About how wide text is, without a browser to ask. Measured on DejaVu Sans, the widest of the fonts that charts are
 * shown in, so that what fits here fits everywhere.
 */

/** Widths in units of the font's size; the first class that has the character counts. */
const classes: readonly (readonly [RegExp, number])[] = [
  [/[\p{Mn}\p{Me}]/u, 0],
  [/[ilj.,:;|'!]/, 0.34],
  [/[ftrI()[\]/\\" -]/, 0.41],
  [/[mw%@MW—]/, 0.98],
  [/[a-z\d$+<=>_~–−#?*¹²³⁰⁴-⁹⁻]/, 0.65],
  [/[A-Z&]/, 0.78],
  [/[\u00c0-\u052f]/, 0.8],
];

/** Of what no class has: ideographs, symbols. */
const WIDEST = 1.2;

const widths = new Map<string, number>();

/** Width of one line of text in pixels. @param size of the font in pixels. */
export function textWidth(text: string, size: number): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width * size;
}

/** The text, cut with an ellipsis where it is wider than `limit` pixels. */
export function fitText(text: string, limit: number, size: number): string {
  if (textWidth(text, size) <= limit) return text;
  let width = characterWidth("…");
  let kept = "";
  for (const character of text) {
    width += characterWidth(character);
    if (width * size > limit) break;
    kept += character;
  }
  return `${kept.trimEnd()}…`;
}

function characterWidth(character: string): number {
  let width = widths.get(character);
  if (width === undefined) {
    width = classes.find(([pattern]) => pattern.test(character))?.[1] ?? WIDEST;
    widths.set(character, width);
  }
  return width;
}
