import { describe, expect, test } from "vitest";
import { readGolden } from "../../test/support/golden.ts";
import { constantRate, cosineRate, oneCycleRate, type RateSchedule, stepRate, warmupRate } from "./schedules.ts";

const golden = readGolden("training/optimisers.safetensors");

const cases: [string, RateSchedule][] = [
  ["one-cycle", oneCycleRate()],
  ["one-cycle.rise", oneCycleRate({ rise: 0.15 })],
  ["cosine", cosineRate()],
  ["cosine.warmup", cosineRate({ warmup: 7 })],
  ["step", stepRate({ milestones: [0.5, 0.75] })],
  ["step.factor", stepRate({ milestones: [0.29, 0.55], factor: 0.3 })],
];

const all: [string, RateSchedule][] = [...cases, ["constant", constantRate], ["warmup", warmupRate(30)]];

const rates = (schedule: RateSchedule, total: number): Float64Array =>
  Float64Array.from({ length: total }, (_, step) => schedule(step, total));

describe("schedules", () => {
  test("every recorded one is tried", () => {
    const recorded = [...golden.tensors.keys()].filter((name) => name.startsWith("rate."));
    expect(cases.flatMap(([name]) => [20, 100, 391].map((total) => `rate.${name}.${total}`)).sort()).toEqual(
      recorded.sort(),
    );
  });

  test.each(cases)("%s is PyTorch's", (name, schedule) => {
    for (const total of [20, 100, 391]) {
      expect(rates(schedule, total)).toBeAllclose(golden.float64(`rate.${name}.${total}`), { atol: 1e-12 });
    }
  });

  test.each(all)("%s stays between 0 and 1, however short the training", (_name, schedule) => {
    for (const total of [1, 2, 3, 4, 5, 8, 13]) {
      for (const rate of rates(schedule, total)) {
        expect(rate).toBeGreaterThanOrEqual(0);
        expect(rate).toBeLessThanOrEqual(1);
      }
    }
  });

  test("a training rises for as many steps as it is told", () => {
    expect([...rates(warmupRate(4), 6)]).toEqual([0.25, 0.5, 0.75, 1, 1, 1]);
    expect([...rates(warmupRate(0), 2)]).toEqual([1, 1]);
  });
});
