/** @file A picture that others are drawn onto: enough for sheets of small pictures with short labels. */
import { glyphHeight, glyphRows, glyphWidth } from "./font.ts";
import { drawPlaneInto } from "./kernels.ts";
import type { Picture } from "./picture.ts";

/** A colour as [R, G, B], 0..255. */
export type Colour = readonly [number, number, number];

/** An RGB picture in the making. */
export interface Canvas {
  readonly height: number;
  readonly width: number;
  readonly pixels: Uint8Array;
}

/** Distance between the left edges of two letters. */
const advance = glyphWidth + 1;

/** A canvas of one colour. */
export function createCanvas(height: number, width: number, [r, g, b]: Colour): Canvas {
  const plane = height * width;
  const pixels = new Uint8Array(3 * plane);
  pixels
    .fill(r, 0, plane)
    .fill(g, plane, 2 * plane)
    .fill(b, 2 * plane);
  return { height, width, pixels };
}

/** Draws a picture with its top left corner at (x, y), every pixel as a square of `zoom` pixels. It must fit. */
export function drawPicture(canvas: Canvas, picture: Picture, x: number, y: number, zoom: number): void {
  const plane = picture.height * picture.width;
  for (let c = 0; c < 3; c++) {
    const from = Math.min(c, picture.channels - 1) * plane;
    drawPlaneInto(channelOf(canvas, c), canvas.width, picture.pixels.subarray(from, from + plane), {
      width: picture.width,
      x,
      y,
      zoom,
    });
  }
}

/** Draws a line of text in capitals with its top left corner at (x, y); what lies beyond the canvas is left out. */
export function drawText(
  canvas: Canvas,
  text: string,
  { x, y, scale, colour }: { x: number; y: number; scale: number; colour: Colour },
): void {
  [...text].forEach((letter, i) => {
    glyphRows(letter).forEach((bits, row) => {
      for (let column = 0; column < glyphWidth; column++) {
        if (((bits >> (glyphWidth - 1 - column)) & 1) === 0) continue;
        fillSquare(canvas, x + (i * advance + column) * scale, y + row * scale, { size: scale, colour });
      }
    });
  });
}

/** Width and height of a line of text. */
export function textSize(text: string, scale: number): { width: number; height: number } {
  return { width: Math.max([...text].length * advance - 1, 0) * scale, height: glyphHeight * scale };
}

/** The finished picture. */
export function pictureOf(canvas: Canvas, name: string): Picture {
  return { name, channels: 3, ...canvas };
}

function fillSquare(canvas: Canvas, x: number, y: number, { size, colour }: { size: number; colour: Colour }): void {
  const from = Math.max(x, 0);
  const to = Math.min(x + size, canvas.width);
  for (let row = Math.max(y, 0); row < Math.min(y + size, canvas.height) && from < to; row++) {
    colour.forEach((value, c) => {
      channelOf(canvas, c).fill(value, row * canvas.width + from, row * canvas.width + to);
    });
  }
}

function channelOf({ pixels }: Canvas, c: number): Uint8Array {
  const plane = pixels.length / 3;
  return pixels.subarray(c * plane, (c + 1) * plane);
}
