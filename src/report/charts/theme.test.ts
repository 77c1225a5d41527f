import { describe, expect, test } from "vitest";
import { darkTheme, heatClass, lightTheme, markPath, seriesDash } from "./theme.ts";

type Rgb = readonly [number, number, number];

/** Linear light of a colour `#rrggbb`. @source IEC 61966-2-1. */
function linear(hex: string): Rgb {
  const channel = (from: number): number => {
    const value = Number.parseInt(hex.slice(from, from + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [channel(1), channel(3), channel(5)];
}

/** @source WCAG 2.2, "contrast ratio". */
function contrast(a: string, b: string): number {
  const luminance = ([r, g, b]: Rgb): number => 0.2126 * r + 0.7152 * g + 0.0722 * b;
  const [high = 0, low = 0] = [luminance(linear(a)), luminance(linear(b))].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

/** What readers without one kind of cones see. @source Viénot, Brettel and Mollon 1999, equations 5 to 8. */
function withoutCones(kind: "none" | "red" | "green", [r, g, b]: Rgb): Rgb {
  if (kind === "none") return [r, g, b];
  const long = 17.8824 * r + 43.5161 * g + 4.11935 * b;
  const medium = 3.45565 * r + 27.1554 * g + 3.86714 * b;
  const short = 0.0299566 * r + 0.184309 * g + 1.46709 * b;
  const [l, m] =
    kind === "red" ? [2.02344 * medium - 2.52581 * short, medium] : [long, 0.494207 * long + 1.24827 * short];
  return [
    0.0809444479 * l - 0.130504409 * m + 0.116721066 * short,
    -0.0102485335 * l + 0.0540193266 * m - 0.113614708 * short,
    -0.000365296938 * l - 0.00412161469 * m + 0.693511405 * short,
  ];
}

/** How different two colours look. @source B. Ottosson 2020, "A perceptual color space for image processing". */
function distance(a: Rgb, b: Rgb): number {
  const oklab = ([r, g, b]: Rgb): Rgb => {
    const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
    const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
    const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
    return [
      0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
      1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
      0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
    ];
  };
  const [x, y] = [oklab(a), oklab(b)];
  return Math.hypot(...x.map((value, i) => value - (y[i] ?? 0)));
}

describe.each([
  ["light", lightTheme],
  ["dark", darkTheme],
])("%s", (_, theme) => {
  test("text and marks stand out from the background", () => {
    for (const text of [theme.ink, theme.faint]) expect(contrast(text, theme.paper)).toBeGreaterThan(4.5);
    for (const colour of theme.series) expect(contrast(colour, theme.paper)).toBeGreaterThan(3);
  });

  test("figures can be read on every heat, and heat grows away from the background", () => {
    const distances = theme.heat.map(({ fill, ink }) => {
      expect(contrast(fill, ink), fill).toBeGreaterThan(4.5);
      return contrast(fill, theme.paper);
    });
    expect([...distances].sort((a, b) => a - b)).toEqual(distances);
  });

  test.each(["none", "red", "green"] as const)(
    "the first three series can be told apart, missing cones: %s",
    (kind) => {
      const seen = theme.series.slice(0, 3).map((colour) => withoutCones(kind, linear(colour)));
      for (const [a, b] of [
        [0, 1],
        [0, 2],
        [1, 2],
      ] as const) {
        expect(distance(seen[a] ?? [0, 0, 0], seen[b] ?? [0, 0, 0]), `${a} and ${b}`).toBeGreaterThan(0.08);
      }
    },
  );
});

test("no two of the first 24 series share colour, mark and dash", () => {
  const looks = Array.from({ length: 24 }, (_, i) => `${i % 6} ${markPath(i, 0, 0)} ${seriesDash(i)}`);
  expect(new Set(looks).size).toBe(24);
});

test("heat has a class for every share, and for what lies outside", () => {
  expect([-1, 0, 0.05, 0.1, 0.95, 1, 2].map(heatClass)).toEqual(["h0", "h0", "h0", "h1", "h9", "h9", "h9"]);
});
