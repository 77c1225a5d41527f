import { describe, expect, test } from "vitest";
import { FormatError } from "../core/errors.ts";
import { readSafetensors } from "../nn/checkpoints/safetensors.ts";
import { writeSafetensors } from "../nn/checkpoints/safetensors-writer.ts";
import { float32, type Tensor } from "../tensor/tensor.ts";
import { adam, sgd } from "./optimisers.ts";
import { freshState, isSound, readState, type TrainingState, writeState } from "./state.ts";

const initial = { weights: Float32Array.of(1, -2, 3), statistics: Float32Array.of(0, 1) };
const step = { initial: () => ({ weights: initial.weights.slice(), statistics: initial.statistics.slice() }) };
const fresh = (): TrainingState => freshState(step, adam(), true);

/** A state after two steps, every number of it another. */
function worn(): TrainingState {
  const state = fresh();
  const arrays = [state.weights, state.statistics, ...state.memory, state.average];
  for (const [i, array] of arrays.entries()) for (const j of array.keys()) array[j] = 10 * i + j + 1 / 3;
  state.losses.push(Math.fround(0.7), Math.fround(1e-20));
  return Object.assign(state, { step: 2 });
}

describe("states", () => {
  test("begin with the network's tensors and empty memories", () => {
    expect(fresh()).toEqual({
      step: 0,
      ...initial,
      memory: [new Float32Array(3), new Float32Array(3)],
      average: initial.weights,
      losses: [],
    });
    const plain = freshState(step, sgd(), false);
    expect([plain.memory, plain.average.length]).toEqual([[], 0]);
  });

  test("an average is memory of its own", () => {
    const state = fresh();
    state.weights[0] = 9;
    expect(state.average[0]).toBe(1);
  });

  test("come back from a file bit for bit, and equal ones are equal files", () => {
    const bytes = writeState(worn(), "k");
    expect(readState(bytes, fresh(), "k")).toEqual(worn());
    expect(writeState(readState(bytes, fresh(), "k"), "k")).toEqual(bytes);
  });

  test("what was read can be changed without changing the bytes", () => {
    const bytes = writeState(worn(), "k");
    readState(bytes, fresh(), "k").weights.fill(0);
    expect(bytes).toEqual(writeState(worn(), "k"));
  });

  test("are sound while their weights are finite", () => {
    const state = worn();
    expect(isSound(state)).toBe(true);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      state.weights[1] = bad;
      expect(isSound(state)).toBe(false);
    }
  });
});

describe("refusals", () => {
  /** The file of a worn state with changed tensors and metadata. */
  function forged(tensors: Record<string, Tensor | undefined>, metadata: Record<string, string> = {}): Uint8Array {
    const file = readSafetensors(writeState(worn(), "k"), "test");
    const all = [...file.tensors, ...Object.entries(tensors)].filter((entry): entry is [string, Tensor] => !!entry[1]);
    const kept = new Map(all);
    for (const [name, value] of Object.entries(tensors)) if (value === undefined) kept.delete(name);
    return writeSafetensors(kept, new Map([...file.metadata, ...Object.entries(metadata)]));
  }

  test.each<[string, Uint8Array, string | RegExp]>([
    ["another training", writeState(worn(), "other"), "with the same network, data, options and seed, got another's."],
    ["another schema", forged({}, { schema: "x@2" }), "checkpoint: expected schema untrigger/checkpoint@1, got x@2."],
    ["a file of weights", writeSafetensors(new Map([["w", float32([1], [1])]])), "checkpoint@1, got none."],
    ["other lengths", forged({ weights: float32([2], [1, 2]) }), 'checkpoint: expected 3 numbers as "weights", got 2.'],
    ["a missing memory", forged({ "memory.1": undefined }), 'checkpoint: expected 3 numbers as "memory.1", got none.'],
    [
      "numbers of another type",
      forged({ average: { dtype: "float64", dims: [3], data: new Float64Array(3) } }),
      'checkpoint: expected 3 float32 numbers as "average", got 3 of float64.',
    ],
    ["more steps than losses", forged({}, { step: "3" }), 'checkpoint: expected 3 numbers as "losses", got 2.'],
    ["half a step", forged({}, { step: "1.5" }), "checkpoint: expected a number of steps, got 1.5."],
    ["steps before the first", forged({}, { step: "-1" }), "checkpoint: expected a number of steps, got -1."],
    ["no step", forged({}, { step: "" }), "checkpoint: expected a number of steps, got none."],
    [
      "weights that are not finite",
      forged({ weights: float32([3], [1, Number.NaN, 2]) }),
      "checkpoint: expected finite",
    ],
    ["half a file", writeState(worn(), "k").slice(0, -7), /^checkpoint/],
    ["no file at all", new TextEncoder().encode("hello"), /^checkpoint/],
    ["nothing", new Uint8Array(), /^checkpoint/],
  ])("%s", (_case, bytes, sentence) => {
    const read = (): unknown => readState(bytes, fresh(), "k");
    expect(read).toThrow(sentence);
    expect(read).toThrow(FormatError);
  });
});
