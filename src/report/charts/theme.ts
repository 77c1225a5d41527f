/**
 * @file Colours, marks and type of all charts, light and dark. Colour never stands alone: each series also has a mark and
 * a dash of its own. A test checks contrast, and that neighbours stay apart for readers with any kind of colour vision.
 */

/** Colours of a theme, as `#rrggbb`. */
export interface Theme {
  readonly paper: string;
  readonly ink: string;
  readonly faint: string;
  readonly grid: string;
  readonly series: readonly string[];
  /** From low to high. */
  readonly heat: readonly { readonly fill: string; readonly ink: string }[];
}

/** For light backgrounds, and for paper. */
export const lightTheme: Theme = {
  paper: "#ffffff",
  ink: "#1c2126",
  faint: "#59636e",
  grid: "#dfe3e8",
  series: ["#0067ad", "#d0470a", "#0d8f6b", "#8e3a8c", "#94700a", "#4a5058"],
  heat: heatOf(
    ["#f6f9fd", "#e3edf8", "#cddff1", "#b1cfe8", "#8fbbdd", "#6aa3d0", "#3876ad", "#2a6aa5", "#174e87", "#0a3263"],
    ["#1c2126", "#ffffff"],
    6,
  ),
};

/** For dark backgrounds. */
export const darkTheme: Theme = {
  paper: "#14181d",
  ink: "#e8ebee",
  faint: "#a3adb8",
  grid: "#313840",
  series: ["#55aef0", "#ff9457", "#2fc79b", "#d98fdc", "#d9bb45", "#b9c1ca"],
  heat: heatOf(
    ["#1a212a", "#1d2c3c", "#203a52", "#244a6b", "#295d87", "#3173a4", "#4b8dbd", "#73a9d1", "#a2c6e3", "#d6e7f5"],
    ["#f2f5f8", "#10151a"],
    6,
  ),
};

function heatOf(fills: readonly string[], inks: readonly [string, string], turn: number): Theme["heat"] {
  return fills.map((fill, i) => ({ fill, ink: i < turn ? inks[0] : inks[1] }));
}

/** Class of the heat of a value 0..1. */
export function heatClass(share: number): string {
  const steps = lightTheme.heat.length;
  return `h${Math.min(Math.max(Math.floor(share * steps), 0), steps - 1)}`;
}

/** Class with the colour of a series; colours come again after six, with other marks and dashes. */
export function seriesClass(series: number): string {
  return `s${series % lightTheme.series.length}`;
}

/** Dash of a series' line; undefined for an unbroken one. */
export function seriesDash(series: number): string | undefined {
  return [undefined, "7 4", "2 4", "10 3 2 3", "5 2", "14 4"][(series + Math.floor(series / 6)) % 6];
}

/** Mark of a series around a point: a circle, square, triangle, diamond, inverted triangle or cross. */
export function markPath(series: number, x: number, y: number, size = 4): string {
  const at = (dx: number, dy: number): string => `${round(x + dx * size)} ${round(y + dy * size)}`;
  const shape = (series + Math.floor(series / 6)) % 6;
  if (shape === 0) {
    const r = round(size);
    return `M${at(-1, 0)}a${r} ${r} 0 1 0 ${round(2 * size)} 0a${r} ${r} 0 1 0 ${round(-2 * size)} 0z`;
  }
  const corners = (
    [
      [],
      [-0.9, -0.9, 0.9, -0.9, 0.9, 0.9, -0.9, 0.9],
      [0, -1.2, 1.15, 0.8, -1.15, 0.8],
      [0, -1.3, 1.3, 0, 0, 1.3, -1.3, 0],
      [0, 1.2, 1.15, -0.8, -1.15, -0.8],
      [
        -1, -0.4, -0.4, -0.4, -0.4, -1, 0.4, -1, 0.4, -0.4, 1, -0.4, 1, 0.4, 0.4, 0.4, 0.4, 1, -0.4, 1, -0.4, 0.4, -1,
        0.4,
      ],
    ] as const
  )[shape];
  const points: string[] = [];
  corners?.forEach((dx, i) => {
    if (i % 2 === 0) points.push(at(dx, corners[i + 1] ?? 0));
  });
  return `M${points.join("L")}z`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

const font = `system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "DejaVu Sans", sans-serif`;

/**
 * The style sheet of charts. Plain colours in classes, since many viewers of SVG files do not know custom properties;
 * readers with a dark screen get the dark ones, printers never do.
 */
export function chartCss(): string {
  return [
    `.chart{font:12px ${font}}`,
    `.chart text{fill:currentColor}`,
    `.chart .t{font-size:14px;font-weight:600}`,
    `.chart .b{font-weight:600}`,
    `.chart .n{font-variant-numeric:tabular-nums}`,
    `.chart .line{fill:none;stroke:currentColor;stroke-width:1.75;stroke-linejoin:round;stroke-linecap:round}`,
    `.chart .thin{fill:none;stroke:currentColor;stroke-width:1}`,
    `.chart .dots{fill:none;stroke:currentColor;stroke-width:2.5;stroke-linecap:round;opacity:.3}`,
    `.chart .fill{fill:currentColor}`,
    `.chart .band{fill:currentColor;opacity:.14}`,
    `.chart .bars{fill:currentColor;opacity:.75}`,
    coloursCss(lightTheme),
    `@media screen and (prefers-color-scheme:dark){${coloursCss(darkTheme)}}`,
  ].join("\n");
}

/** The colours of one theme: of charts, and of heat for whatever else is on the page. */
function coloursCss({ paper, ink, faint, grid, series, heat }: Theme): string {
  return [
    `.chart{color:${ink}}.chart .paper{fill:${paper}}.chart .f{color:${faint}}.chart .grid{color:${grid}}`,
    ...series.map((colour, i) => `.chart .s${i}{color:${colour}}`),
    ...heat.map(
      ({ fill, ink: text }, i) => `.h${i}{background:${fill};fill:${fill};color:${text}}.chart .h${i}t{color:${text}}`,
    ),
  ].join("");
}
