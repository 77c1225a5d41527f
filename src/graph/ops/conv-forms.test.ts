import { expect, test } from "vitest";
import { relate } from "../../../test/support/finite-differences.ts";
import type { Sample } from "../../../test/support/operator-samples.ts";
import { runModel, runOptimized } from "../../../test/support/run-model.ts";
import { float32 } from "../../tensor/tensor.ts";
import { GraphBuilder, int, ints } from "../builder.ts";
import { differentiate, gradientName } from "../differentiate.ts";
import { specialise } from "../rewrite/specialise.ts";
import { graphToBytes } from "../to-model.ts";

/** A convolution by the dims of x and weight. */
interface Case {
  readonly x: readonly number[];
  readonly weight: readonly number[];
  readonly pads?: readonly number[];
  readonly strides?: readonly number[];
  readonly dilations?: readonly number[];
  readonly group?: number;
  /** How far forms may lie apart; 1e-4 where left out. */
  readonly atol?: number;
}

/** One case, or several, for each form in which a convolution is computed. */
const cases: Record<string, Case> = {
  "depthwise, small maps": { x: [3, 4, 3, 4], weight: [4, 1, 3, 3], pads: [1, 1, 1, 1], group: 4 },
  "depthwise, small maps, strides and holes": {
    x: [2, 3, 7, 5],
    weight: [3, 1, 2, 3],
    pads: [2, 1, 0, 3],
    strides: [2, 1],
    dilations: [1, 2],
    group: 3,
  },
  "depthwise, rows": { x: [1, 3, 15, 14], weight: [3, 1, 3, 3], pads: [1, 1, 1, 1], group: 3 },
  "depthwise, rows, strides and holes": {
    x: [1, 2, 21, 25],
    weight: [2, 1, 3, 2],
    pads: [0, 2, 1, 1],
    strides: [2, 1],
    dilations: [1, 3],
    group: 2,
  },
  "depthwise, wide": { x: [1, 2, 12, 34], weight: [2, 1, 3, 3], pads: [1, 1, 1, 1], group: 2 },
  "small maps": { x: [3, 64, 3, 3], weight: [32, 64, 3, 3], pads: [1, 1, 1, 1] },
  "small maps, strides and holes": {
    x: [2, 64, 7, 6],
    weight: [64, 64, 2, 3],
    pads: [1, 2, 0, 1],
    strides: [2, 2],
    dilations: [2, 1],
  },
  "one position": { x: [3, 48, 1, 1], weight: [48, 48, 3, 3], pads: [1, 1, 1, 1] },
  "one row": { x: [2, 3, 1, 6], weight: [4, 3, 3, 3], pads: [1, 1, 1, 1] },
  "taps that see only padding, holes": { x: [2, 3, 2, 3], weight: [4, 3, 5, 3], pads: [4, 2, 4, 2], dilations: [2, 2] },
  "only padding": { x: [1, 2, 1, 1], weight: [3, 2, 1, 1], pads: [2, 2, 2, 2], strides: [4, 4] },
  "phases of strides": { x: [2, 16, 8, 6], weight: [8, 16, 3, 3], pads: [1, 1, 1, 1], strides: [2, 2] },
  "phases, one of them without taps": { x: [2, 8, 9, 4], weight: [4, 8, 2, 1], pads: [0, 0, 1, 0], strides: [3, 2] },
  "phases of a large kernel": { x: [2, 8, 8, 10], weight: [4, 8, 7, 7], pads: [3, 3, 3, 3], strides: [2, 2] },
  "few channels": { x: [2, 3, 7, 6], weight: [8, 3, 3, 3], pads: [0, 1, 2, 1] },
  "few images, many channels": { x: [1, 24, 5, 5], weight: [24, 24, 3, 3], pads: [1, 1, 1, 1] },
};

/** Forms of constant weights alone, over sums too long for finite differences in float32. */
const constantCases: Record<string, Case> = {
  "Winograd, parts of tiles": { x: [16, 128, 5, 6], weight: [130, 128, 3, 3], pads: [1, 1, 1, 1], atol: 1e-3 },
  "Winograd, no padding": { x: [17, 128, 6, 9], weight: [128, 128, 3, 3], atol: 1e-3 },
};

function sampleOf({ x, weight, pads, strides, dilations, group = 1 }: Case): Sample {
  const attributes = {
    group: int(group),
    ...(pads === undefined ? {} : { pads: ints(...pads) }),
    ...(strides === undefined ? {} : { strides: ints(...strides) }),
    ...(dilations === undefined ? {} : { dilations: ints(...dilations) }),
  };
  return {
    inputs: [x, weight, weight.slice(0, 1)],
    write: (b, values) => b.op("Conv", values, attributes),
  };
}

test.each(Object.entries(cases))("%s: gradients are what finite differences say", async (_, shape) => {
  const { differences, gradients, norm } = await relate(sampleOf(shape));
  for (const [i, difference] of differences.entries()) {
    expect(Math.abs(gradients[i]! - difference), `input ${i}`).toBeLessThan(1e-4 * norm + 1e-6);
  }
});

test.each(Object.entries({ ...cases, ...constantCases }))(
  "%s: the same where weights are constant",
  async (_, shape) => {
    const { atol = 1e-4 } = shape;
    const { write, inputs } = sampleOf(shape);
    const b = new GraphBuilder();
    const waves = (dims: readonly number[], step: number) =>
      float32(
        dims,
        Array.from({ length: dims.reduce((a, c) => a * c, 1) }, (_, i) => Math.sin(step * i)),
      );
    const [x, weight, bias] = [inputs[0]!, waves(inputs[1]!, 0.7), waves(inputs[2]!, 1.1)];
    const y = write(b, [b.input("x", "float32", x), b.weight("weight", weight), b.weight("bias", bias)]);
    b.output("y", y, "float32");
    const wrt = ["x", "weight"];
    const { graph, facts } = await specialise(b.build("conv"), runModel, { batch: x[0]!, keep: new Set(wrt) });
    const run = async (asked: readonly string[]) =>
      runOptimized(graphToBytes(differentiate(graph, { seeds: { y: 1 }, wrt: asked }, facts)), { x: waves(x, 0.9) });
    const plain = (await runOptimized(graphToBytes(graph), { x: waves(x, 0.9) }))["y"]?.data as Float32Array;
    const [frozen, changing] = [await run(["x"]), await run(wrt)];
    expect(frozen["y"]?.data as Float32Array).toBeAllclose(plain, { atol });
    expect(changing["y"]?.data as Float32Array).toBeAllclose(plain, { atol });
    const [a, c] = [frozen, changing].map((results) => results[gradientName("x")]?.data as Float32Array);
    expect(a!).toBeAllclose(c!, { atol });
  },
);
