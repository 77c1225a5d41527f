import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runModel } from "../../test/support/run-model.ts";
import { openTinyStep, tinyBatches, tinyNet } from "../../test/support/tiny-training.ts";
import { graphToBytes } from "../graph/to-model.ts";
import { float32 } from "../tensor/tensor.ts";
import { train } from "./loop.ts";
import { sgd } from "./optimisers.ts";
import { constantRate } from "./schedules.ts";
import { freshState, type TrainingState } from "./state.ts";
import type { TrainingStep } from "./step.ts";
import { trainableOf } from "./trainable.ts";
import { trainedGraph, trainedTensors } from "./trained.ts";

let step: TrainingStep;
let state: TrainingState;
beforeAll(async () => {
  step = await openTinyStep();
  const plan = { steps: 3, optimiser: sgd(), rate: 0.1, schedule: constantRate, averaging: 0.5 };
  state = freshState(step, plan.optimiser, true);
  await train(step, { plan, state, batches: tinyBatches });
});
afterAll(() => step.dispose());

const names = ["bias", "conv", "head", "mean", "scale", "shift", "variance"];

describe("trained tensors", () => {
  test("are weights and statistics by name, memory of their own", () => {
    const tensors = trainedTensors(step, state, "last");
    expect([...tensors.keys()].sort()).toEqual(names);
    const { from, to, dims } = step.weights.slots.find(({ name }) => name === "head")!;
    expect(tensors.get("head")).toEqual(float32(dims, state.weights.slice(from, to)));
    (tensors.get("head")!.data as Float32Array).fill(0);
    expect(state.weights.slice(from, to).some((value) => value !== 0)).toBe(true);
  });

  test("are the averaged weights where an average is kept, with the last statistics", () => {
    const [chosen, last] = [trainedTensors(step, state), trainedTensors(step, state, "last")];
    expect(chosen).toEqual(trainedTensors(step, state, "average"));
    expect(chosen.get("head")).not.toEqual(last.get("head"));
    expect(chosen.get("mean")).toEqual(last.get("mean"));
    expect(trainedTensors(step, { ...state, average: new Float32Array(0) })).toEqual(last);
  });
});

test("a trained graph is the network as it is used: rows do not depend on each other", async () => {
  const net = trainableOf(tinyNet());
  const graph = trainedGraph(net, trainedTensors(step, state));
  expect([...graph.initializers.keys()].filter((name) => names.includes(name)).sort()).toEqual(names);
  const x = (await tinyBatches(9, state))["x"]!;
  const { logits } = await runModel(graphToBytes(graph), { x });
  const alone = await runModel(graphToBytes(graph), { x: float32([1, 1, 6, 6], x.data.slice(36, 72) as Float32Array) });
  expect(alone["logits"]!.data as Float32Array).toBeAllclose(logits!.data.slice(3, 6) as Float32Array, { atol: 1e-6 });
  const before = await runModel(graphToBytes(net.inference), { x });
  expect(before["logits"]).not.toEqual(logits);
});
