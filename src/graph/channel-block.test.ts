import { describe, expect, test } from "vitest";
import { runModel, runOptimized } from "../../test/support/run-model.ts";
import { UnsupportedOpError } from "../core/errors.ts";
import { float32 } from "../tensor/tensor.ts";
import { GraphBuilder, ints } from "./builder.ts";
import { channelBlock } from "./channel-block.ts";
import { differentiate, gradientName } from "./differentiate.ts";
import type { Graph } from "./ir.ts";
import { BLOCKED_DOMAIN } from "./ops/blocked-conv.ts";
import { specialise } from "./rewrite/specialise.ts";
import { graphToBytes } from "./to-model.ts";

const waves = (count: number, step: number): number[] => Array.from({ length: count }, (_, i) => Math.sin(step * i));

/** Three convolutions: 16 to 32 channels; those with stride 2, and pads larger than the kernel; to 3 channels. */
function net(): Graph {
  const b = new GraphBuilder();
  const weight = (name: string, ...dims: number[]) =>
    b.weight(
      name,
      float32(
        dims,
        waves(
          dims.reduce((a, c) => a * c, 1),
          0.9,
        ),
      ),
    );
  const x = b.input("x", "float32", ["N", 16, 7, 6]);
  const first = b.op("Conv", [x, weight("a", 32, 16, 3, 3), weight("bias", 32)], { pads: ints(1, 1, 1, 1) });
  const second = b.op("Conv", [b.op("Tanh", [first]), weight("b", 32, 32, 3, 2)], {
    pads: ints(3, 0, 1, 2),
    strides: ints(1, 2),
  });
  const third = b.op("Conv", [b.op("Tanh", [second]), weight("c", 3, 32, 3, 3)], { pads: ints(3, 0, 0, 1) });
  b.output("loss", b.op("ReduceSum", [b.op("Tanh", [third])]), "float32");
  return b.build("net");
}

test("gradients are those of plain convolutions", async () => {
  const wrt = ["a", "b", "c", "bias", "x"];
  const { graph, facts } = await specialise(net(), runModel, { batch: 2, keep: new Set(wrt) });
  const block = await channelBlock(runModel);
  const request = { seeds: { loss: 1 }, wrt };
  const [plain, blocked] = [
    differentiate(graph, request, facts),
    differentiate(graph, { ...request, channelBlock: block }, facts),
  ];
  const count = blocked.nodes.filter(({ op, domain }) => op === "Conv" && domain === BLOCKED_DOMAIN).length;
  // Forward the first two, backward the first: the second moves by two, the third gives three channels.
  expect(count).toBe(block === undefined ? 0 : 3);
  const feeds = { x: float32([2, 16, 7, 6], waves(2 * 16 * 42, 0.37)) };
  const [expected, actual] = [
    await runOptimized(graphToBytes(plain), feeds),
    await runOptimized(graphToBytes(blocked), feeds),
  ];
  for (const name of ["loss", ...wrt.map(gradientName)]) {
    const values = expected[name]?.data as Float32Array;
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(actual[name]?.data as Float32Array, name).toBeAllclose(values, { atol: 1e-5 * largest });
  }
});

describe("an engine", () => {
  test("that computes something else has none", async () => {
    const runs: number[] = [];
    const wrong = await channelBlock(async (_, { x }) => {
      runs.push(1);
      return x === undefined ? {} : { plain: x, blocked: float32(x.dims) };
    });
    expect([wrong, runs.length]).toEqual([undefined, 2]);
  });

  test("that does not know the operators has none", async () => {
    const unknown = async () => Promise.reject(new UnsupportedOpError("model: expected operators, got ReorderInput."));
    expect(await channelBlock(unknown)).toBe(undefined);
  });

  test("that breaks otherwise is heard", async () => {
    await expect(channelBlock(async () => Promise.reject(new TypeError("broken")))).rejects.toThrow("broken");
  });
});
