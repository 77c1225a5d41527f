import { describe, expect, test } from "vitest";
import { readGolden } from "../../test/support/golden.ts";
import { adam, adamW, type Optimiser, sgd } from "./optimisers.ts";

const golden = readGolden("training/optimisers.safetensors");
const [steps = 0, size = 0] = golden.dims("gradients");
const gradients = golden.float32("gradients");
const rates = golden.float64("rates");

const cases: [string, () => Optimiser][] = [
  ["sgd", () => sgd()],
  ["sgd.decay", () => sgd({ weightDecay: 0.03 })],
  ["sgd.momentum", () => sgd({ momentum: 0.9, weightDecay: 0.03 })],
  ["sgd.nesterov", () => sgd({ momentum: 0.8, nesterov: true, weightDecay: 5e-4 })],
  ["adam", () => adam()],
  ["adam.decay", () => adam({ beta1: 0.8, beta2: 0.95, eps: 1e-3, weightDecay: 0.03 })],
  ["adamw", () => adamW()],
  ["adamw.decay", () => adamW({ beta1: 0.8, beta2: 0.95, eps: 1e-3, weightDecay: 0.3 })],
];

const memoryOf = ({ memories }: Optimiser): Float32Array[] =>
  Array.from({ length: memories }, () => new Float32Array(size));

describe("optimisers", () => {
  test("every recorded one is tried", () => {
    const recorded = [...golden.tensors.keys()].filter((name) => name.startsWith("path."));
    expect(cases.map(([name]) => `path.${name}`).sort()).toEqual(recorded.sort());
  });

  test.each(cases)("%s walks PyTorch's path, and remembers only what it is given", (name, open) => {
    const path = golden.float64(`path.${name}`);
    const weights = golden.float32("weights");
    const memory = memoryOf(open());
    for (let step = 0; step < steps; step++) {
      const gradient = gradients.slice(step * size, (step + 1) * size);
      open().update(weights, gradient, memory, { rate: rates[step]!, step });
      expect(weights).toBeAllclose(path.subarray(step * size, (step + 1) * size), { rtol: 1e-6, atol: 1e-6 });
    }
  });

  test("the gradient is left as it was", () => {
    for (const [, open] of cases) {
      const optimiser = open();
      const gradient = gradients.slice(0, size);
      optimiser.update(golden.float32("weights"), gradient, memoryOf(optimiser), { rate: 0.1, step: 0 });
      expect(gradient).toEqual(gradients.slice(0, size));
    }
  });
});
