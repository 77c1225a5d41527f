import { describe, expect, it } from "vitest";
import { createNoise } from "../../core/noise.ts";
import { float32 } from "../../tensor/tensor.ts";
import { noiseLike } from "../noise.ts";
import { posteriorOf } from "../posterior.ts";
import { linearBetas, makeSchedule } from "../schedules.ts";
import { ddim, ddimStep } from "./ddim.ts";
import { ddpm, ddpmStep } from "./ddpm.ts";
import { everyIndex, jumpsOver } from "./grids.ts";

const schedule = makeSchedule(linearBetas(1000));
const draw = noiseLike({ noise: createNoise(3, [[1, 1]]) }, "t", float32([1, 1, 2, 4]));
const [x, noise, z] = [draw(0), draw(1), draw(2)];

describe("ddpmStep", () => {
  it("is (x - beta / sqrt(1 - alphaBar) noise) / sqrt(alpha) + sigma z without clipping", () => {
    const [beta, alphaBar] = [schedule.betas[120]!, schedule.alphasBar[120]!];
    const mean = x.data.map((v, i) => (v - (beta / Math.sqrt(1 - alphaBar)) * noise.data[i]!) / Math.sqrt(1 - beta));
    for (const [variance, amount] of [
      ["fixed-small", posteriorOf(schedule, { from: 120, to: 119 }).variance],
      ["fixed-large", beta],
    ] as const) {
      const next = ddpmStep(x, { noise }, schedule, { from: 120, to: 119, variance, noise: z });
      expect(next.data).toBeAllclose(
        mean.map((m, i) => m + Math.sqrt(amount) * z.data[i]!),
        { atol: 2e-6 },
      );
    }
  });

  it("reaches from the small to the large variance as a learned one goes from -1 to 1", () => {
    const step = (variance: "fixed-small" | "fixed-large" | "learned-range", v = 0) =>
      ddpmStep(x, { noise, variance: { ...x, data: x.data.map(() => v) } }, schedule, {
        from: 9,
        to: 4,
        variance,
        noise: z,
      });
    expect(step("learned-range", -1).data).toBeAllclose(step("fixed-small").data, { atol: 1e-6 });
    expect(step("learned-range", 1).data).toBeAllclose(step("fixed-large").data, { atol: 1e-6 });
  });

  it("adds no noise at index 0", () => {
    const final = ddpmStep(x, { noise }, schedule, { from: 0, to: -1, clip: 1 });
    expect(Math.max(...final.data.map(Math.abs))).toBeLessThanOrEqual(1);
  });

  it("says what is missing", () => {
    const step = { from: 9, to: 8 };
    expect(() => ddpmStep(x, { noise }, schedule, step)).toThrow(
      "ddpm: expected noise because this step is random, got none.",
    );
    expect(() => ddpmStep(x, { noise }, schedule, { ...step, variance: "learned-range", noise: z })).toThrow(
      'ddpm: expected a net with 2C output channels for variance "learned-range", got C.',
    );
    expect(() => ddpmStep(x, { noise }, schedule, { from: 1000, to: 999, noise: z })).toThrow("index: expected");
    expect(() => ddpmStep(x, { noise: float32([1, 1, 4, 2]) }, schedule, { ...step, noise: z })).toThrow(
      "expected dims",
    );
  });
});

describe("ddimStep", () => {
  it("with eta 1 between neighbours is a DDPM step with the posterior's variance", () => {
    const step = { from: 300, to: 299, clip: 1, noise: z };
    expect(ddimStep(x, { noise }, schedule, { ...step, eta: 1 }).data).toBeAllclose(
      ddpmStep(x, { noise }, schedule, step).data,
      { atol: 2e-6 },
    );
  });

  it("returns the clipped clean image at the end", () => {
    const final = ddimStep(x, { noise }, schedule, { from: 300, to: -1, clip: 0.5, eta: 1 });
    expect(Math.max(...final.data.map(Math.abs))).toBe(0.5);
  });

  it("keeps or rederives the noise after clipping; without a clip there is no difference", () => {
    const step = { from: 900, to: 500 };
    const [keep, rederive] = [{ ...step, noiseAfterClip: "keep" } as const, step];
    expect(ddimStep(x, { noise }, schedule, keep).data).toEqual(ddimStep(x, { noise }, schedule, rederive).data);
    const [kept, rederived] = [keep, rederive].map((s) => ddimStep(x, { noise }, schedule, { ...s, clip: 1 }).data);
    expect(kept).not.toEqual(rederived);
  });

  it("says when noise is missing", () => {
    expect(() => ddimStep(x, { noise }, schedule, { from: 9, to: 3, eta: 0.1 })).toThrow("ddim: expected noise");
  });
});

describe("loops", () => {
  it("draw noise only where it is used, by the step's number", async () => {
    const asked: number[] = [];
    const run = {
      noise: (step: number) => {
        asked.push(step);
        return z;
      },
    };
    const predict = async () => ({ noise });
    await ddpm(predict, x, schedule, { jumps: jumpsOver(everyIndex(3)), ...run });
    expect(asked.splice(0)).toEqual([0, 1, 2]);
    await ddim(predict, x, schedule, { jumps: jumpsOver([9, 4, 0]), ...run });
    expect(asked).toEqual([]);
  });

  it("show the net the schedule's timesteps, one for each image", async () => {
    const shown: number[][] = [];
    const predict = async (_: unknown, t: Float64Array) => {
      shown.push([...t]);
      return { noise: float32([2, 1, 1, 1]) };
    };
    const rescaled = makeSchedule(linearBetas(3), [0, 10.5, 20]);
    await ddim(predict, float32([2, 1, 1, 1]), rescaled, { jumps: jumpsOver([2, 1]) });
    expect(shown).toEqual([
      [20, 20],
      [10.5, 10.5],
    ]);
  });
});
