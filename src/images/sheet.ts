/** @file Pictures that explain: one image with its evidence side by side, and a grid of images against methods. */
import { ShapeError } from "../core/errors.ts";
import { formatDims } from "../tensor/shape.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import { type Colour, createCanvas, drawPicture, drawText, pictureOf, textSize } from "./canvas.ts";
import { heatInto } from "./kernels.ts";
import type { Picture } from "./picture.ts";

const background: Colour = [255, 255, 255];
const tones = { plain: [60, 60, 60], good: [0, 120, 60], bad: [200, 30, 30] } as const satisfies Record<string, Colour>;

/** Small pictures are enlarged by the largest whole factor that keeps their panel within this many pixels. */
const panelSide = 96;

/** The whole factor by which a small picture is enlarged in its panel; 1 for large ones. */
export function panelZoom({ height, width }: Pick<Picture, "height" | "width">): number {
  return Math.max(Math.floor(panelSide / Math.max(height, width)), 1);
}

/**
 * A map in the colours of heat: black, red, yellow, white. The colour follows the square root of the value, so that
 * small differences can be seen; values are not stretched, so that two sheets can be compared.
 * @param map [1, 1, H, W] in [0, 1]; values outside are clamped. @throws ShapeError for other dims.
 */
export function heatMap(name: string, map: Float32Tensor): Picture {
  const [n, c, height, width] = map.dims;
  if (map.dims.length !== 4 || n !== 1 || c !== 1 || height === undefined || width === undefined) {
    throw new ShapeError(`${name}: expected a map [1, 1, H, W], got ${formatDims(map.dims)}.`);
  }
  const pixels = new Uint8Array(3 * height * width);
  heatInto(pixels, map.data);
  return { name, channels: 3, height, width, pixels };
}

/**
 * The evidence of one image: input, purified image and each map, from left to right with thin gaps.
 * @param maps [1, 1, H, W] each, in the order in which they are shown.
 * @param zoom whole factor of enlargement; {@link panelZoom} when left out.
 */
export function evidenceSheet(
  input: Picture,
  purified: Picture,
  maps: Readonly<Record<string, Float32Tensor>>,
  zoom: number = panelZoom(input),
): Picture {
  const panels = [input, purified, ...Object.entries(maps).map(([name, map]) => heatMap(name, map))];
  const gap = Math.max(zoom, 2);
  const width = panels.reduce((sum, panel) => sum + panel.width * zoom + gap, -gap);
  const canvas = createCanvas(Math.max(...panels.map(({ height }) => height * zoom)), width, background);
  let x = 0;
  for (const panel of panels) {
    drawPicture(canvas, panel, x, 0, zoom);
    x += panel.width * zoom + gap;
  }
  return pictureOf(canvas, input.name);
}

/** One picture of a grid with what is said about it. */
export interface GridCell {
  readonly picture: Picture;
  readonly caption?: string | undefined;
  /** Colour of the caption; `plain` when left out. */
  readonly tone?: "plain" | "good" | "bad" | undefined;
}

/**
 * Pictures in rows and columns with titles above and captions below.
 * @param columns titles. @param rows cells of each row, at most one for each column.
 * @param zoom whole factor of enlargement; text is drawn at half of it.
 */
export function gridSheet(columns: readonly string[], rows: readonly (readonly GridCell[])[], zoom: number): Picture {
  const scale = Math.max(Math.floor(zoom / 2), 1);
  const gap = 4 * scale;
  const line = textSize("", scale).height + gap;
  const lefts = [gap];
  columns.forEach((title, column) => {
    const cells = rows.flatMap((row) => row[column] ?? []);
    const widths = cells.map(({ picture, caption = "" }) =>
      Math.max(picture.width * zoom, textSize(caption, scale).width),
    );
    lefts.push((lefts[column] ?? 0) + Math.max(textSize(title, scale).width, ...widths) + gap);
  });
  const left = (column: number): number => lefts[column] ?? 0;
  const pictureHeight = Math.max(...rows.flat().map(({ picture }) => picture.height * zoom), 0);
  const rowHeight = pictureHeight + gap / 2 + line;
  const canvas = createCanvas(gap + line + rows.length * rowHeight, left(columns.length), background);
  columns.forEach((title, column) => {
    drawText(canvas, title, { x: left(column), y: gap, scale, colour: tones.plain });
  });
  rows.forEach((row, r) => {
    const y = gap + line + r * rowHeight;
    row.forEach(({ picture, caption = "", tone = "plain" }, column) => {
      drawPicture(canvas, picture, left(column), y, zoom);
      drawText(canvas, caption, { x: left(column), y: y + pictureHeight + gap / 2, scale, colour: tones[tone] });
    });
  });
  return pictureOf(canvas, "grid");
}
