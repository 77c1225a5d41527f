/** @file What one picture shows, drawn from a seed: where and how large its shape is, colours, textures, clutter. */
import { uniforms } from "../../core/noise.ts";
import { cosineOfTurn, sineOfTurn } from "./turn.ts";

/** Three values in [0, 1]. */
export type Colour = readonly [number, number, number];

/** How a surface looks: two colours, mixed by a pattern. Lengths are in widths of the picture. */
export interface Surface {
  readonly first: Colour;
  readonly second: Colour;
  readonly pattern: "plain" | "stripes" | "checks" | "dots" | "clouds" | "gradient";
  /** Waves (or cells) along x and y, and where they begin. */
  readonly wave: readonly [number, number];
  readonly phase: readonly [number, number];
  /** Heights of {@link LATTICE} x {@link LATTICE} hills, for clouds. */
  readonly hills: Float64Array;
}

/** A small blob that has nothing to do with the class. */
export interface Blob {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly isBar: boolean;
  readonly turn: readonly [cos: number, sin: number];
  readonly colour: Colour;
  readonly opacity: number;
  /** Above the shape, or behind it. */
  readonly isAbove: boolean;
}

/** Everything about one picture but its shape's name and its size in pixels. */
export interface Scene {
  readonly ground: Surface;
  readonly body: Surface;
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  /** Width over height. */
  readonly stretch: number;
  readonly turn: readonly [cos: number, sin: number];
  /** Amplitude and waves of a bend. */
  readonly bend: readonly [number, number];
  /** Thickness of the line when only the outline is drawn, 0 when it is filled. */
  readonly line: number;
  readonly opacity: number;
  readonly blobs: readonly Blob[];
  /** Brightness gained from left to right and from top to bottom. */
  readonly light: readonly [number, number];
  /** Largest change of a pixel by noise. */
  readonly grain: number;
}

/** Hills on each side of the clouds' grid. */
export const LATTICE = 7;

const MOST_BLOBS = 3;

/** The scene of image `index` of a stream. A function of its arguments. */
export function drawScene(seed: number, stream: string, index: number): Scene {
  const draws = uniforms(seed, `${stream}/scene`, index, 128);
  let next = 0;
  const unit = (): number => draws[next++] ?? 0;
  const between = (low: number, high: number): number => low + (high - low) * unit();
  const colour = (): Colour => [unit(), unit(), unit()];
  const turn = (): [number, number] => {
    const t = unit();
    return [cosineOfTurn(t), sineOfTurn(t)];
  };

  const base = colour();
  const other = farFrom(base, colour(), between(0.4, 0.9));
  const surface = (first: Colour, name: string): Surface => {
    const pattern = pick(["plain", "stripes", "checks", "dots", "clouds", "gradient"] as const, unit());
    const [cos, sin] = turn();
    const waves = between(1.5, 7);
    const second = mix(first, colour(), between(0.05, 0.3));
    const phase = [unit(), unit()] as const;
    const wave = pattern === "gradient" ? ([cos, sin] as const) : ([cos * waves, sin * waves] as const);
    const hills = uniforms(seed, `${stream}/${name}`, index, LATTICE * LATTICE);
    return { first, second, pattern, wave, phase, hills };
  };
  const ground = surface(base, "ground");
  const body = surface(other, "body");
  const count = Math.floor(unit() * (MOST_BLOBS + 1));
  return {
    ground,
    body,
    x: between(0.36, 0.64),
    y: between(0.36, 0.64),
    radius: between(0.22, 0.4),
    stretch: between(0.75, 1.3333),
    turn: turn(),
    bend: [between(0, 0.06), between(0.4, 0.9)],
    line: unit() < 0.15 ? between(0.18, 0.3) : 0,
    opacity: between(0.8, 1),
    light: [between(-0.2, 0.2), between(-0.2, 0.2)],
    grain: between(0, 0.07),
    blobs: Array.from({ length: count }, () => ({
      x: unit(),
      y: unit(),
      radius: between(0.04, 0.13),
      isBar: unit() < 0.5,
      turn: turn(),
      colour: colour(),
      opacity: between(0.5, 1),
      isAbove: unit() < 0.4,
    })),
  };
}

function pick<T>(options: readonly [T, ...T[]], draw: number): T {
  return options[Math.floor(draw * options.length)] ?? options[0];
}

function mix(a: Colour, b: Colour, share: number): Colour {
  return [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share];
}

/** A colour whose farthest channel differs from that of `from` by `contrast`, in the direction of `to`. */
function farFrom(from: Colour, to: Colour, contrast: number): Colour {
  const ways = from.map((value, c) => (to[c] ?? 0) - value);
  const longest = Math.max(...ways.map(Math.abs), 1e-6);
  const [red = 0, green = 0, blue = 0] = from.map((value, c) => {
    const way = ((ways[c] ?? 0) / longest) * contrast;
    // Turns round where it would leave the range.
    const moved = value + way;
    return moved >= 0 && moved <= 1 ? moved : value - way;
  });
  return [red, green, blue];
}
