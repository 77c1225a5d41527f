import { describe, expect, it } from "vitest";
import { linearWithGradient } from "../../test/support/attack-context.ts";
import { createNoise } from "../core/noise.ts";
import { smoothedAnswers } from "./smoothed.ts";

const classifier = linearWithGradient(4);
const dims = [1, 5, 6];
const noise = createNoise(2, [[7, 7]])(0, "test", 0, 3 * 30);
const pixels = Float32Array.from({ length: 30 }, (_, i) => 0.5 + 0.4 * Math.sin(i));
const settings = { dims, sigma: 0.2, kind: "logits" } as const;

describe("smoothedAnswers", () => {
  it("has the gradient that central differences show", async () => {
    const [answer] = await smoothedAnswers(classifier, [{ pixels, target: 2, noise }], settings);
    const direction = pixels.map((_, i) => Math.sin(2.1 * i));
    const moved = async (step: number) => {
      const at = pixels.map((value, i) => value + step * direction[i]!);
      const [there] = await smoothedAnswers(classifier, [{ pixels: at, target: 2, noise }], settings);
      return there!.loss;
    };
    const difference = ((await moved(1e-2)) - (await moved(-1e-2))) / 2e-2;
    const slope = answer!.gradient.reduce((sum, value, i) => sum + value * direction[i]!, 0);
    expect(Math.abs(slope - difference)).toBeLessThan(
      0.01 * Math.hypot(...answer!.gradient) * Math.hypot(...direction),
    );
    expect(answer!.loss).toBeCloseTo(-Math.log(answer!.probabilities[2]!), 5);
  });

  it("still has one where the target's probability is nothing in float32", async () => {
    // Along the difference of two classes' weights the first loses without end.
    const far = pixels.map((_, i) => 100 * (Math.sin(2 * (i + 1)) - Math.sin(i + 1)));
    const [answer] = await smoothedAnswers(classifier, [{ pixels: far, target: 0, noise }], settings);
    expect(answer!.probabilities[0]).toBe(0);
    expect(answer!.loss).toBeGreaterThan(200);
    expect(Number.isFinite(answer!.loss)).toBe(true);
    expect(Math.hypot(...answer!.gradient)).toBeGreaterThan(0.1);
  });

  it("answers images together as it answers each alone, whatever their numbers of copies", async () => {
    const other = { pixels: pixels.map((value) => 1 - value), target: 1, noise: noise.slice(0, 30) };
    const one = { pixels, target: 2, noise };
    const together = await smoothedAnswers(classifier, [one, other], settings);
    const apart = [
      ...(await smoothedAnswers(classifier, [one], settings)),
      ...(await smoothedAnswers(classifier, [other], settings)),
    ];
    expect(together).toEqual(apart);
  });
});
