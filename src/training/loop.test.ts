import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTinyStep, tinyBatches } from "../../test/support/tiny-training.ts";
import { type LoopSettings, type StepReport, type TrainingPlan, train } from "./loop.ts";
import { sgd } from "./optimisers.ts";
import { constantRate } from "./schedules.ts";
import { freshState, type TrainingState } from "./state.ts";
import type { TrainingStep } from "./step.ts";

let step: TrainingStep;
beforeAll(async () => {
  step = await openTinyStep();
});
afterAll(() => step.dispose());

const plan: TrainingPlan = { steps: 5, optimiser: sgd(), rate: 0.1, schedule: constantRate };

async function run(changes: Partial<TrainingPlan> = {}, settings: Partial<LoopSettings> = {}) {
  const own = { ...plan, ...changes };
  const state = freshState(step, own.optimiser, own.averaging !== undefined);
  const reports: StepReport[] = [];
  const weights: Float32Array[] = [state.weights.slice()];
  await train(step, {
    plan: own,
    state,
    batches: tinyBatches,
    ...settings,
    onStep: (report, now) => {
      reports.push(report);
      weights.push(now.weights.slice());
    },
  });
  return { state, reports, weights };
}

const distance = (a: Float32Array, b: Float32Array): number => Math.hypot(...a.map((value, i) => value - b[i]!));

describe("the loop", () => {
  test("reports every step with its loss, rate and gradient, and keeps the losses", async () => {
    const { state, reports } = await run({ schedule: (number, total) => 1 - number / total });
    expect(reports.map((report) => report.step)).toEqual([1, 2, 3, 4, 5]);
    expect(reports.map(({ rate }) => rate)).toBeAllclose([0.1, 0.08, 0.06, 0.04, 0.02], { rtol: 1e-12 });
    expect(state.losses).toEqual(reports.map(({ loss }) => loss));
    for (const { gradientNorm, outputs } of reports) {
      expect(gradientNorm).toBeGreaterThan(0);
      expect(outputs["logits"]?.dims).toEqual([8, 3]);
    }
  });

  test("without clipping a step is as long as its gradient says, with it as long as is allowed", async () => {
    const free = await run();
    free.reports.forEach(({ gradientNorm }, i) => {
      expect(distance(free.weights[i]!, free.weights[i + 1]!)).toBeCloseTo(0.1 * gradientNorm, 5);
    });
    const shortest = Math.min(...free.reports.map(({ gradientNorm }) => gradientNorm));
    const clip = shortest / 2;
    const clipped = await run({ clip });
    clipped.reports.forEach(({ gradientNorm }, i) => {
      expect(gradientNorm).toBeGreaterThan(clip);
      expect(distance(clipped.weights[i]!, clipped.weights[i + 1]!)).toBeCloseTo(0.1 * clip, 5);
    });
    expect((await run({ clip: 1e9 })).state).toEqual(free.state);
  });

  test("averages forget the first weights: the first average is the first step's, later ones lag behind", async () => {
    const { state, weights } = await run({ averaging: 0.999 });
    const average = weights[1]!.slice();
    for (let made = 2; made <= 5; made++) {
      const decay = made / (9 + made);
      average.forEach((value, i) => {
        average[i] = decay * value + (1 - decay) * weights[made]![i]!;
      });
    }
    expect(state.average).toBeAllclose(average, { atol: 1e-6 });
    expect((await run({ averaging: 0 })).state.average).toEqual(weights[5]);
  });

  test("asks for each batch once, one step ahead, and shows the state as it is then", async () => {
    const asked: [number, number][] = [];
    await run(
      {},
      {
        batches: async (number, state) => {
          asked.push([number, state.step]);
          return tinyBatches(number, state);
        },
      },
    );
    expect(asked).toEqual([
      [0, 0],
      [1, 0],
      [2, 1],
      [3, 2],
      [4, 3],
    ]);
  });

  test("a batch that fails is heard when its turn comes, with the steps before it made", async () => {
    const state = freshState(step, plan.optimiser, false);
    const failing = train(step, {
      plan,
      state,
      batches: (number, now) => (number === 2 ? Promise.reject(new Error("no batch")) : tinyBatches(number, now)),
    });
    await expect(failing).rejects.toThrow("no batch");
    expect(state.step).toBe(2);
  });

  test("a listener that fails, or takes its time, is waited for", async () => {
    const state = freshState(step, plan.optimiser, false);
    const order: string[] = [];
    const failing = train(step, {
      plan,
      state,
      batches: tinyBatches,
      onStep: async ({ step: made }) => {
        order.push(`begin ${made}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
        order.push(`end ${made}`);
        if (made === 2) throw new Error("no room");
      },
    });
    await expect(failing).rejects.toThrow("no room");
    expect(order).toEqual(["begin 1", "end 1", "begin 2", "end 2"]);
    expect(state.step).toBe(2);
  });

  test("a training at its end makes no step", async () => {
    const state: TrainingState = { ...freshState(step, plan.optimiser, false), step: 5 };
    const before = state.weights.slice();
    await train(step, { plan, state, batches: () => Promise.reject(new Error("asked for a batch")) });
    expect(state.weights).toEqual(before);
  });

  test("an abort ends it after the step that runs, with that step whole", async () => {
    const controller = new AbortController();
    const state = freshState(step, plan.optimiser, false);
    const running = train(step, {
      plan,
      state,
      batches: tinyBatches,
      signal: controller.signal,
      onStep: ({ step: made }) => {
        if (made === 3) controller.abort(new Error("stopped by hand"));
      },
    });
    await expect(running).rejects.toThrow("stopped by hand");
    expect([state.step, state.losses.length]).toEqual([3, 3]);
  });
});
