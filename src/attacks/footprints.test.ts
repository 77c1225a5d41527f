/** @file How much of an image triggers change, and in which frequencies: what their papers promise. */
import { describe, expect, it } from "vitest";
import { attackContext, trainingImages, unitRows } from "../../test/support/attack-context.ts";
import { parseOptions } from "../core/descriptor.ts";
import { createNoise } from "../core/noise.ts";
import { cosineTransform } from "../tensor/filters/cosine-transform.ts";
import type { AttackDescriptor } from "./attack.ts";
import { badnets } from "./badnets.ts";
import { ctrl } from "./ctrl.ts";
import { ftrojan } from "./ftrojan.ts";
import { lc } from "./lc.ts";
import { lf } from "./lf.ts";
import { sig } from "./sig.ts";

const data = trainingImages(40, [3, 32, 32]);
const images = unitRows(data, 6);

async function triggerOf(descriptor: AttackDescriptor, raw: Readonly<Record<string, unknown>>) {
  const attack = await descriptor.create(parseOptions(descriptor, raw), await attackContext(data));
  if (attack.how === "evade") throw new Error("an evasion has no trigger");
  return await attack.trigger();
}

/** What a trigger adds to six images, pixel by pixel. */
async function changeBy(
  descriptor: AttackDescriptor,
  raw: Readonly<Record<string, unknown>> = {},
): Promise<Float64Array> {
  const trigger = await triggerOf(descriptor, raw);
  const { data: after } = await trigger.apply(images, {
    noise: createNoise(
      1,
      [...Array(6).keys()].map((i) => [i, 0]),
    ),
  });
  return Float64Array.from(after, (value, i) => value - images.data[i]!);
}

/** Pixels of one image, any channel, that a change touches. */
const touched = (change: Float64Array, image: number): number[] =>
  [...Array(1024).keys()].filter((i) => [0, 1, 2].some((c) => change[(image * 3 + c) * 1024 + i] !== 0));

describe("patches", () => {
  it("of BadNets change at most nine pixels, all in the corner", async () => {
    const change = await changeBy(badnets, { margin: 0 });
    for (let image = 0; image < 6; image++) {
      const at = touched(change, image);
      expect(at.length).toBeLessThanOrEqual(9);
      expect(at.every((i) => i >= 29 * 32 && i % 32 >= 29)).toBe(true);
    }
  });

  it("of LC change at most 36 pixels, nine in each corner", async () => {
    const change = await changeBy(lc, { amplitude: 1 });
    const inCorner = (i: number): boolean => [Math.floor(i / 32), i % 32].every((place) => place < 3 || place >= 29);
    for (let image = 0; image < 6; image++) {
      const at = touched(change, image);
      expect(at.length).toBeLessThanOrEqual(36);
      expect(at.every(inCorner)).toBe(true);
    }
  });
});

describe("frequencies", () => {
  /** Share of the power of a pattern [3, 32, 32] below a frequency, without what is constant. */
  const shareBelow = (values: ArrayLike<number>, limit: number): number => {
    const power = cosineTransform({ dtype: "float64", dims: [3, 32, 32], data: Float64Array.from(values) }).data.map(
      (value) => value * value,
    );
    const sum = (keep: (row: number, column: number) => boolean): number =>
      power.reduce((total, value, i) => {
        const [row, column] = [Math.floor(i / 32) % 32, i % 32];
        return total + (row + column > 0 && keep(row, column) ? value : 0);
      }, 0);
    return sum((row, column) => Math.max(row, column) < limit) / sum(() => true);
  };

  it("of LF are low: 95 % of the power below an eighth of what pixels can carry", async () => {
    const { arrays } = await triggerOf(lf, { images: 10, passes: 1, fool: 5 });
    const pattern = arrays["pattern"]!.data;
    expect(Math.min(...pattern)).toBe(0);
    expect(Math.max(...pattern)).toBeLessThanOrEqual(51 / 255 + 1e-6);
    expect(shareBelow(pattern, 32 / 8)).toBeGreaterThan(0.95);
  });

  it("of SIG are one; those of CTRL and FTrojan lie in the middle and at the end", async () => {
    expect(shareBelow((await triggerOf(sig, {})).arrays["pattern"]!.data, 16)).toBeGreaterThan(0.95);
    for (const descriptor of [ctrl, ftrojan]) {
      const change = (await changeBy(descriptor, { magnitude: 20 })).subarray(0, 3072);
      expect(shareBelow(change, 14), descriptor.name).toBeLessThan(0.2);
      expect(shareBelow(change, 17), descriptor.name).toBeLessThan(0.8);
    }
  });
});
