import { describe, expect, it } from "vitest";
import { linearWithGradient } from "../../test/support/attack-context.ts";
import { affineGrid } from "../tensor/filters/affine-grid.ts";
import { samplingPlan } from "../tensor/filters/grid-sample.ts";
import { float32 } from "../tensor/tensor.ts";
import { movedAnswer } from "./topo-trigger.ts";

const [N, C, H, W] = [2, 3, 4, 5];
const wave = (length: number, pitch: number) =>
  Float32Array.from({ length }, (_, i) => 0.5 + 0.4 * Math.sin(pitch * (i + 1)));

describe("movedAnswer", () => {
  it("has the derivative that central differences show, through turned and moved patches", async () => {
    const classifier = linearWithGradient(4);
    const images = float32([N, C, H, W], wave(N * C * H * W, 1.3));
    const plans = [
      [1, 0, 0, 0, 1, 0],
      [0.9, -0.4, 0.2, 0.4, 0.9, -0.3],
    ].map((map) => samplingPlan(affineGrid(float32([1, 2, 3], map), [H, W]).data, [H, W]));
    const variables = [...wave(H * W, 0.7), ...wave(C * H * W, 2.1)];
    const at = (values: readonly number[]) => ({
      mask: Float32Array.from(values.slice(0, H * W)),
      pattern: Float32Array.from(values.slice(H * W)),
    });
    const ask = (values: readonly number[]) => movedAnswer(classifier, { images, patch: at(values), plans, target: 1 });
    const { gradient } = await ask(variables);
    const direction = variables.map((_, i) => Math.sin(3.1 * i));
    const step = 1e-3;
    const moved = async (sign: number) =>
      (await ask(variables.map((value, i) => value + sign * step * direction[i]!))).loss;
    const difference = ((await moved(1)) - (await moved(-1))) / (2 * step);
    const slope = gradient.reduce((sum, value, i) => sum + value * direction[i]!, 0);
    expect(Math.abs(slope - difference)).toBeLessThan(5e-3 * Math.hypot(...gradient) * Math.hypot(...direction));
  });
});
