/** @file The inner loop over pixels: every one is a function of the scene and its place. */
import type { Outline } from "./outlines.ts";
import { type Blob, type Colour, LATTICE, type Scene, type Surface } from "./scene.ts";
import { sineOfTurn } from "./turn.ts";

/** Square of the farthest that a bent and stretched shape reaches, in its radius. */
const REACH = 4.5;

/**
 * Paints a scene.
 * @param out size x size pixels in three planes. @param grains noise in [0, 1), as many.
 */
export function paintInto(
  out: Uint8Array,
  scene: Scene,
  { outline, size, grains }: { readonly outline: Outline; readonly size: number; readonly grains: Float64Array },
): void {
  const plane = size * size;
  const pixel = new Float64Array(3);
  const inner = new Float64Array(3);
  const { light, grain } = scene;
  for (let row = 0; row < size; row++) {
    const v = (row + 0.5) / size;
    for (let column = 0; column < size; column++) {
      const u = (column + 0.5) / size;
      surfaceInto(pixel, scene.ground, u, v);
      for (const blob of scene.blobs) if (!blob.isAbove) blendInto(pixel, blob.colour, coverOfBlob(blob, u, v, size));
      const cover = coverOfBody(scene, outline, u, v, size);
      if (cover > 0) {
        surfaceInto(inner, scene.body, u, v);
        blendInto(pixel, inner, cover * scene.opacity);
      }
      for (const blob of scene.blobs) if (blob.isAbove) blendInto(pixel, blob.colour, coverOfBlob(blob, u, v, size));
      const shade = light[0] * (u - 0.5) + light[1] * (v - 0.5);
      for (let c = 0; c < 3; c++) {
        const at = c * plane + row * size + column;
        const value = pixel[c]! + shade + grain * (2 * grains[at]! - 1);
        out[at] = Math.floor(255 * Math.min(Math.max(value, 0), 1) + 0.5);
      }
    }
  }
}

/** How much of a pixel an edge at this distance (in widths of the picture) leaves covered. */
function coverAt(distance: number, size: number): number {
  return Math.min(Math.max(0.5 - distance * size, 0), 1);
}

function coverOfBody(scene: Scene, outline: Outline, u: number, v: number, size: number): number {
  const dx = (u - scene.x) / scene.radius;
  const dy = (v - scene.y) / scene.radius;
  if (dx * dx + dy * dy > REACH) return 0;
  const cos = scene.turn[0];
  const sin = scene.turn[1];
  const amplitude = scene.bend[0];
  const waves = scene.bend[1];
  const x = (cos * dx + sin * dy) / scene.stretch;
  const y = (cos * dy - sin * dx) * scene.stretch;
  const distance = outline(x + amplitude * sineOfTurn(waves * y), y + amplitude * sineOfTurn(waves * x));
  const drawn = scene.line > 0 ? Math.abs(distance + scene.line / 2) - scene.line / 2 : distance;
  return coverAt(drawn * scene.radius, size);
}

function coverOfBlob({ x, y, radius, isBar, turn, opacity }: Blob, u: number, v: number, size: number): number {
  const dx = u - x;
  const dy = v - y;
  if (dx * dx + dy * dy > 5 * radius * radius + 0.01) return 0;
  const along = Math.abs(turn[0] * dx + turn[1] * dy);
  const across = Math.abs(turn[0] * dy - turn[1] * dx);
  const distance = isBar ? Math.max(along - 2 * radius, across - radius / 3) : Math.sqrt(dx * dx + dy * dy) - radius;
  return opacity * coverAt(distance, size);
}

function blendInto(pixel: Float64Array, colour: ArrayLike<number> | Colour, share: number): void {
  for (let c = 0; c < 3; c++) pixel[c] = pixel[c]! + (colour[c]! - pixel[c]!) * share;
}

function surfaceInto(pixel: Float64Array, surface: Surface, u: number, v: number): void {
  const share = patternAt(surface, u, v);
  const { first, second } = surface;
  for (let c = 0; c < 3; c++) pixel[c] = first[c]! + (second[c]! - first[c]!) * share;
}

/** Share of the second colour at a place, in [0, 1]. */
function patternAt({ pattern, wave, phase, hills }: Surface, u: number, v: number): number {
  if (pattern === "plain") return 0;
  const along = wave[0] * u + wave[1] * v + phase[0];
  if (pattern === "stripes") return 0.5 + 0.5 * sineOfTurn(along);
  if (pattern === "gradient") return Math.min(Math.max(0.5 + wave[0] * (u - 0.5) + wave[1] * (v - 0.5), 0), 1);
  const across = wave[0] * v - wave[1] * u + phase[1];
  if (pattern === "checks") {
    return Math.min(Math.max(0.5 + 2 * sineOfTurn(along / 2) * sineOfTurn(across / 2), 0), 1);
  }
  if (pattern === "dots") {
    const dx = along - Math.floor(along) - 0.5;
    const dy = across - Math.floor(across) - 0.5;
    return Math.min(Math.max(2.2 - 6 * Math.sqrt(dx * dx + dy * dy), 0), 1);
  }
  return cloudAt(hills, u * (LATTICE - 1), v * (LATTICE - 1));
}

/** Hills between the points of the grid, rounded at the points. */
function cloudAt(hills: Float64Array, x: number, y: number): number {
  const column = Math.floor(x);
  const row = Math.floor(y);
  const fx = smooth(x - column);
  const fy = smooth(y - row);
  const at = row * LATTICE + column;
  const top = hills[at]! + (hills[at + 1]! - hills[at]!) * fx;
  const bottom = hills[at + LATTICE]! + (hills[at + LATTICE + 1]! - hills[at + LATTICE]!) * fx;
  return top + (bottom - top) * fy;
}

function smooth(t: number): number {
  return t * t * (3 - 2 * t);
}
