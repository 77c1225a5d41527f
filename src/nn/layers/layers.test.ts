import { beforeAll, describe, expect, it } from "vitest";
import { GraphBuilder, ints } from "../../graph/builder.ts";
import { graphToBytes } from "../../graph/to-model.ts";
import { createNodeRuntime } from "../../runtime/node.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { float32, type Tensor } from "../../tensor/tensor.ts";
import { weightsOf } from "../checkpoints/weights.ts";
import { type FeatureMap, mapValue, type Net } from "../net.ts";
import { type ActivationName, activate } from "./activation.ts";
import { attend } from "./attention.ts";
import { conv2d, linear } from "./conv.ts";
import { concatChannels, splitChannels } from "./elementwise.ts";
import { groupNorm } from "./group-norm.ts";
import { averagePool, downsampleFir, upsampleFir, upsampleNearest } from "./resample.ts";
import { sinusoidalEmbedding } from "./time-embedding.ts";
import { projectTime } from "./time-projections.ts";
import { upsampleConv } from "./upsample-conv.ts";

/** Numbers that look random, the same every time. */
const noise = (count: number, seed = 0): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed));

describe("layers", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createNodeRuntime({ threads: 1 });
  });

  /** Runs what `write` makes of an input [N, C, H, W]. */
  async function run(
    x: Tensor,
    weights: Readonly<Record<string, Tensor>>,
    write: (net: Net, x: FeatureMap) => FeatureMap,
  ): Promise<{ data: Float32Array; dims: readonly number[] }> {
    const [, channels = 0, height = 0, width = 0] = x.dims;
    const b = new GraphBuilder();
    const value = b.input("x", "float32", ["N", channels, height, width]);
    const net = { b, weights: weightsOf(new Map(Object.entries(weights)), "checkpoint") };
    const y = write(net, { value, channels, height, width });
    b.output("y", y.value, "float32");
    const session = await runtime.load(graphToBytes(b.build("layer")));
    const { y: out } = await session.run({ x });
    await session.dispose();
    expect(out?.dims.slice(1)).toEqual([y.channels, y.height, y.width]);
    return out as { data: Float32Array; dims: readonly number[] };
  }

  it("doubles and convolves as one what it doubles, then convolves", async () => {
    const weights = { "up.weight": float32([3, 3, 3, 3], noise(81)), "up.bias": float32([3], noise(3, 1)) };
    const x = float32([2, 3, 4, 5], noise(120, 2));
    const apart = await run(x, weights, (net, x) => conv2d(net, "up", upsampleNearest(net, x), { channels: 3 }));
    const together = await run(x, weights, (net, x) => upsampleConv(net, "up", x));
    expect(together.data).toBeAllclose(apart.data, { atol: 1e-5 });
  });

  it("resamples with the FIR filter as zeros between pixels and a convolution do", async () => {
    const taps = [1, 3, 3, 1];
    /** All rows are alike, so that the vertical filter leaves the inner ones as they are. */
    const row = [2, -1, 4, 3, 0, 5];
    const x = float32(
      [1, 1, 6, 6],
      Float32Array.from({ length: 36 }, (_, i) => row[i % 6] ?? 0),
    );
    const down = await run(x, {}, downsampleFir);
    const expectedDown = [0, 1, 2].map((i) =>
      taps.reduce((sum, tap, k) => sum + (tap / 8) * (row[2 * i + k - 1] ?? 0), 0),
    );
    expect(down.data.subarray(3, 6)).toBeAllclose(expectedDown, { atol: 1e-6 });
    const up = await run(x, {}, upsampleFir);
    const spread = row.flatMap((value) => [value, 0]);
    const expectedUp = spread.map((_, o) =>
      taps.reduce((sum, tap, k) => sum + (tap / 4) * (spread[o - 2 + k] ?? 0), 0),
    );
    expect(up.data.subarray(48, 60)).toBeAllclose(expectedUp, { atol: 1e-6 });
  });

  it("drops the odd row and column in average pooling", async () => {
    const x = float32([1, 1, 3, 3], [1, 2, 9, 3, 4, 9, 9, 9, 9]);
    expect([...(await run(x, {}, averagePool)).data]).toEqual([2.5]);
  });

  it.each<{ name: ActivationName; at: (x: number) => number }>([
    { name: "relu", at: (x) => Math.max(x, 0) },
    { name: "silu", at: (x) => x / (1 + Math.exp(-x)) },
    { name: "swish", at: (x) => x / (1 + Math.exp(-x)) },
    { name: "mish", at: (x) => x * Math.tanh(Math.log1p(Math.exp(x))) },
  ])("applies $name", async ({ name, at }) => {
    const x = float32([1, 1, 1, 5], [-4, -1, 0, 0.5, 3]);
    expect((await run(x, {}, (net, x) => activate(net, name, x))).data).toBeAllclose([...x.data].map(at), {
      atol: 1e-6,
    });
  });

  it("applies the exact gelu", async () => {
    const x = float32([1, 1, 1, 3], [-1, 0, 2]);
    const { data } = await run(x, {}, (net, x) => activate(net, "gelu", x));
    expect(data).toBeAllclose([-0.15865525, 0, 1.95449974], { atol: 1e-6 });
  });

  it("normalises groups, then scales and shifts channels", async () => {
    const weights = { "n.weight": float32([2], [2, 3]), "n.bias": float32([2], [10, 20]) };
    const x = float32([1, 2, 1, 2], [0, 2, 4, 6]); // one group: mean 3, variance 5
    const normal = [-3, -1, 1, 3].map((value) => value / Math.sqrt(5));
    const plain = normal.map((value, i) => (i < 2 ? 2 * value + 10 : 3 * value + 20));
    const { data } = await run(x, weights, (net, x) => groupNorm(net, "n", x, { groups: 1, eps: 0 }));
    expect(data).toBeAllclose(plain, { rtol: 1e-5 });
    const filmed = await run(x, weights, (net, x) => {
      const first = net.b.op("Slice", [x.value, net.b.ints(0, 0), net.b.ints(1, 1), net.b.ints(2, 3)]);
      const [scale = x, shift = x] = [1, 2].map(() => ({ value: first, channels: 2, height: 1, width: 1 }));
      return groupNorm(net, "n", x, { groups: 1, eps: 0, film: { scale, shift } });
    });
    expect(filmed.data).toBeAllclose(
      plain.map((value, i) => (i < 2 ? value : 5 * value + 4)),
      { rtol: 1e-5 },
    );
  });

  it("attends alike in both orders of q, k and v", async () => {
    const [heads, depth, pixels] = [2, 3, 4];
    const kindMajor = noise(3 * heads * depth * pixels);
    const headMajor = new Float32Array(kindMajor.length);
    const block = depth * pixels;
    for (let kind = 0; kind < 3; kind++) {
      for (let head = 0; head < heads; head++) {
        const from = (kind * heads + head) * block;
        headMajor.set(kindMajor.subarray(from, from + block), (head * 3 + kind) * block);
      }
    }
    const at = (kind: number, head: number, channel: number, pixel: number): number =>
      kindMajor[((kind * heads + head) * depth + channel) * pixels + pixel] ?? 0;
    const expected = Array.from({ length: heads * depth * pixels }, (_, i) => {
      const [head, channel, pixel] = [Math.floor(i / block), Math.floor((i % block) / pixels), i % pixels];
      const weights = [0, 1, 2, 3].map((other) => {
        const dot = [0, 1, 2].reduce((sum, c) => sum + at(0, head, c, pixel) * at(1, head, c, other), 0);
        return Math.exp(dot / Math.sqrt(depth));
      });
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      return weights.reduce((sum, weight, other) => sum + (weight / total) * at(2, head, channel, other), 0);
    });
    const dims = [1, 3 * heads * depth, 2, 2];
    for (const [order, data] of [
      ["kind-major", kindMajor],
      ["head-major", headMajor],
    ] as const) {
      const out = await run(float32(dims, data), {}, (net, x) => attend(net, x, { heads, order }));
      expect(out.data, order).toBeAllclose(expected, { atol: 1e-6 });
    }
  });

  it("computes several linear layers as one, whatever rank their weights are stored with", async () => {
    const weights = {
      "a.weight": float32([1, 2], [1, 2]),
      "a.bias": float32([1], [10]),
      "b.weight": float32([2, 2, 1, 1], [0, 1, 1, 0]),
      "b.bias": float32([2], [0, 0]),
    };
    const layers = [
      { name: "a", channels: 1 },
      { name: "b", channels: 2 },
    ];
    const { data } = await run(float32([1, 2, 1, 1], [3, 4]), weights, (net, x) => linear(net, layers, x));
    expect([...data]).toEqual([21, 4, 3]);
    const swapped = await run(float32([1, 2, 1, 1], [3, 4]), weights, (net, x) => {
      const [first = x, second = x] = splitChannels(net, x, 2);
      return concatChannels(net, second, first);
    });
    expect([...swapped.data]).toEqual([4, 3]);
  });

  it("collects time projections by name and refuses those of another size", async () => {
    const weights = {
      "one.t.weight": float32([1, 1], [2]),
      "one.t.bias": float32([1]),
      "two.t.weight": float32([2, 1], [3, 4]),
      "two.t.bias": float32([2]),
    };
    const x = float32([1, 1, 1, 1], [5]);
    const { data } = await run(x, weights, (net, x) => projectTime(net, ".t", x)("two.t", 2));
    expect([...data]).toEqual([15, 20]);
    await expect(run(x, weights, (net, x) => projectTime(net, ".t", x)("two.t", 3))).rejects.toThrow(
      /"two.t.weight" of \[3, 1\], got \[2, 1\]/,
    );
    await expect(run(x, weights, (net, x) => projectTime(net, ".t", x)("six.t", 1))).rejects.toThrow(/"six.t.weight"/);
  });

  it.each([
    { first: "sin", channels: 4, expected: [Math.sin(3), Math.sin(0.03), Math.cos(3), Math.cos(0.03)] },
    { first: "cos", channels: 5, expected: [Math.cos(3), Math.cos(0.03), Math.sin(3), Math.sin(0.03), 0] },
  ] as const)("embeds a timestep with $first first in $channels channels", async ({ first, channels, expected }) => {
    const { data } = await run(float32([1, 1, 1, 1], [3]), {}, (net, x) => {
      const t = net.b.op("Reshape", [x.value, net.b.ints(-1)]);
      return sinusoidalEmbedding(net, t, { channels, first });
    });
    expect(data).toBeAllclose(expected, { atol: 1e-6 });
  });

  it("keeps the names of the checkpoint", () => {
    const b = new GraphBuilder();
    const value = b.input("x", "float32", ["N", 1, 2, 2]);
    const state = new Map([
      ["c.weight", float32([1, 1, 3, 3])],
      ["c.bias", float32([1])],
    ]);
    const net = { b, weights: weightsOf(state, "checkpoint") };
    const x = { value, channels: 1, height: 2, width: 2 };
    const y = conv2d(net, "c", x, { channels: 1, stride: 2, pads: [0, 0, 1, 1] });
    expect([y.height, y.width]).toEqual([1, 1]);
    b.output("y", mapValue(y, y.value).value, "float32");
    const graph = b.build("names");
    expect([...graph.initializers.keys()]).toEqual(["c.weight", "c.bias"]);
    expect(graph.nodes[0]?.attributes["pads"]).toEqual(ints(0, 0, 1, 1));
  });
});
