import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { memoryStore, openTinyStep, tinyBatches } from "../../test/support/tiny-training.ts";
import { InputError } from "../core/errors.ts";
import type { Feeds } from "../runtime/runtime.ts";
import { float32 } from "../tensor/tensor.ts";
import { type CheckpointedSettings, trainWithCheckpoints } from "./checkpointed.ts";
import type { BatchSource, TrainingPlan } from "./loop.ts";
import { adamW, sgd } from "./optimisers.ts";
import { cosineRate, oneCycleRate } from "./schedules.ts";
import { type TrainingState, writeState } from "./state.ts";
import type { TrainingStep } from "./step.ts";

const plans: Record<string, TrainingPlan> = {
  sgd: { steps: 12, optimiser: sgd({ momentum: 0.9, nesterov: true }), rate: 0.1, schedule: oneCycleRate() },
  adamW: { steps: 12, optimiser: adamW(), rate: 0.02, schedule: cosineRate({ warmup: 3 }), clip: 0.3, averaging: 0.9 },
};

let step: TrainingStep;
beforeAll(async () => {
  step = await openTinyStep();
});
afterAll(() => step.dispose());

const full = new InputError("net/checkpoint: expected room on the disk, got none.");

/** Says no at these attempts, counted from 1. */
function fullAt(attempts: readonly number[]): () => void {
  let attempt = 0;
  return () => {
    attempt += 1;
    if (attempts.includes(attempt)) throw full;
  };
}

/** Batches of which that of step 6 is spoilt the first time: a pixel is not a number. */
function spoiltOnce(): BatchSource<Feeds> {
  let isSpoilt = true;
  return async (number, state) => {
    const feeds = await tinyBatches(number, state);
    if (number !== 6 || !isSpoilt) return feeds;
    isSpoilt = false;
    return { ...feeds, x: float32([8, 1, 6, 6], new Float32Array(288).fill(Number.NaN)) };
  };
}

interface Trouble {
  readonly settings: () => Partial<CheckpointedSettings>;
  /** Attempts to save, counted from 1, for which there is no room. */
  readonly full?: readonly number[];
  readonly message: RegExp;
  /** Step of the checkpoint that is left; 0 for none. */
  readonly left: number;
}

const stopAfter = (steps: number): Partial<CheckpointedSettings> => {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    onStep: ({ step: made }) => {
      if (made === steps) controller.abort();
    },
  };
};

const troubles: Record<string, Trouble> = {
  "stopped between two steps": { settings: () => stopAfter(7), message: /aborted/, left: 7 },
  "stopped while a step runs": {
    settings: () => {
      const controller = new AbortController();
      const batches: BatchSource<Feeds> = async (number, state) => {
        if (number === 6) setImmediate(() => controller.abort());
        return tinyBatches(number, state);
      };
      return { signal: controller.signal, batches };
    },
    message: /aborted/,
    left: 6,
  },
  "a loss that is not a number": {
    settings: () => ({ batches: spoiltOnce() }),
    message:
      /^training: expected finite numbers, got a loss of NaN at step 7 \(learning rate \S+\)\. Do lower the learning/,
    left: 6,
  },
  "batches that fail": {
    settings: () => ({
      batches: async (number, state) => {
        if (number === 9) throw new InputError("data: expected more, got none.");
        return tinyBatches(number, state);
      },
    }),
    message: /^data: expected more/,
    left: 9,
  },
  "a disk that is full once": {
    settings: () => ({}),
    full: [2],
    message: /^net\/checkpoint: expected room/,
    left: 4,
  },
  "a disk that is full at the end": { settings: () => ({}), full: [3], message: /expected room/, left: 8 },
  "a disk that is full when the training is stopped": {
    settings: () => stopAfter(7),
    full: [2],
    message: /^net\/checkpoint: expected room on the disk, got none\.$/,
    left: 4,
  },
  "a disk that is full when the loss is not a number": {
    settings: () => ({ batches: spoiltOnce() }),
    full: [2],
    message:
      /at step 7 .* what was saved before is kept\. The checkpoint could not be written either: net\/checkpoint: /,
    left: 4,
  },
};

function run(plan: TrainingPlan, settings: Partial<CheckpointedSettings>): Promise<TrainingState> {
  return trainWithCheckpoints(step, { plan, batches: tinyBatches, ...settings });
}

describe.each(Object.entries(plans))("%s", (_name, plan) => {
  let whole: TrainingState;
  beforeAll(async () => {
    whole = await run(plan, {});
  });

  test("learns", () => {
    expect(whole.step).toBe(plan.steps);
    expect(whole.losses.at(-1)).toBeLessThan(0.9 * whole.losses[0]!);
  });

  test.each(Object.entries(troubles))(
    "%s: says so, and goes on where it was, bit for bit",
    async (_trouble, trouble) => {
      const { settings, full: attempts = [], message, left } = trouble;
      const store = memoryStore(fullAt(attempts));
      const checkpoints = { store, key: "k", every: 4 };
      await expect(run(plan, { ...settings(), checkpoints })).rejects.toThrow(message);
      const from: number[] = [];
      const resumed = await run(plan, {
        checkpoints,
        onStep: ({ step: made }) => {
          from.push(made);
        },
      });
      expect(from[0]).toBe(left + 1);
      expect(writeState(resumed, "k")).toEqual(writeState(whole, "k"));
      expect(store.bytes).toEqual(writeState(whole, "k"));
    },
  );
});

describe("checkpoints", () => {
  const plan = plans["sgd"]!;

  test("are written every so often, and at the end", async () => {
    const store = memoryStore();
    await run(plan, { checkpoints: { store, key: "k", every: 5 } });
    expect(store.saves).toBe(3);
    await run(plan, { checkpoints: { store, key: "k", every: 5 } });
    expect(store.saves).toBe(3);
  });

  test("a training that is stopped before it begins leaves none", async () => {
    const store = memoryStore();
    const stopped = run(plan, { signal: AbortSignal.abort(), checkpoints: { store, key: "k", every: 5 } });
    await expect(stopped).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
    expect(store.saves).toBe(0);
  });

  test("of another training are refused and stay", async () => {
    const store = memoryStore();
    await run({ ...plan, steps: 2 }, { checkpoints: { store, key: "mine", every: 5 } });
    const { bytes } = store;
    await expect(run(plan, { checkpoints: { store, key: "yours", every: 5 } })).rejects.toThrow(
      "checkpoint: expected one of a training with the same network, data, options and seed, got another's. Do choose another output folder, or remove the old checkpoint.",
    );
    expect(store.bytes).toBe(bytes);
  });

  test("weights that are not finite are never saved over those that are", async () => {
    const store = memoryStore();
    const wild: TrainingPlan = {
      ...plan,
      rate: 1,
      schedule: (number) => (number === 5 ? 3e38 : 0.01),
      optimiser: sgd(),
    };
    await expect(run(wild, { checkpoints: { store, key: "k", every: 2 } })).rejects.toThrow(
      /^training: expected finite numbers, got (weights of norm Infinity at step 6|a (loss|gradient).* at step 7)/,
    );
    const { step: made, weights } = await run({ ...wild, steps: 4 }, { checkpoints: { store, key: "k", every: 2 } });
    expect(made).toBeLessThanOrEqual(6);
    for (const weight of weights) expect(Number.isFinite(weight)).toBe(true);
  });
});
