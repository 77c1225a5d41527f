/** @file What every prior keeps, tried on the one that ships: an image's prediction is a function of that image alone. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPrior } from "../../src/diffusion/open-prior.ts";
import type { Prior } from "../../src/diffusion/prior.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import { rowsOf } from "../../src/tensor/rows.ts";
import { type Float32Tensor, float32 } from "../../src/tensor/tensor.ts";
import { modelFiles } from "../support/model-files.ts";

const rows = 64;
const images = float32(
  [rows, 1, 28, 28],
  Float32Array.from({ length: rows * 784 }, (_, i) => 1.3 * Math.sin(i * 12.9898 + Math.floor(i / 784))),
);
/** All alike, and a mixture: what is shown to the net differs from row to row. */
const timesteps = {
  alike: Float64Array.from({ length: rows }, () => 137),
  mixed: Float64Array.from({ length: rows }, (_, row) => (row * 61) % 1000),
};

describe.each(["f32", "int8"] as const)("a prior in %s", (precision) => {
  let runtime: Runtime;
  let alone: Prior;
  beforeAll(async () => {
    runtime = await createNodeRuntime();
    alone = await openPrior(modelFiles("fashion-mnist-prior"), runtime, { precision, threads: 1, batch: 1 });
  });
  afterAll(() => alone.dispose());

  describe.each(Object.entries(timesteps))("with timesteps %s", (_, t) => {
    let expected: Float32Tensor;
    beforeAll(async () => {
      expected = (await alone.predict(images, t)).noise as Float32Tensor;
    });

    it.each([
      { threads: 1, batch: 3 },
      { threads: 1, batch: 16 },
      { threads: 1, batch: 64 },
      { threads: 1, batch: undefined },
      { threads: 2, batch: 1 },
      { threads: 2, batch: 16 },
      { threads: 2, batch: 64 },
    ])("gives the same bits in runs of $batch on $threads threads as alone", async (options) => {
      const prior = await openPrior(modelFiles("fashion-mnist-prior"), runtime, { precision, ...options });
      const whole = (await prior.predict(images, t)).noise;
      expect(differences(whole.data, expected.data)).toBe(0);
      // Another place in a smaller batch.
      const part = (await prior.predict(rowsOf(images, 17, 20), t.subarray(17, 20))).noise;
      expect(differences(part.data, rowsOf(expected, 17, 20).data)).toBe(0);
      await prior.dispose();
    });
  });
});

function differences(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).filter((value, i) => !Object.is(value, b[i])).length;
}
