import { describe, expect, it } from "vitest";
import { expectEveryWeightLearns, expectRowsAlone, runGraph, unitNoise } from "../../../test/support/graph-checks.ts";
import { hashedWeights } from "../../../test/support/hashed-weights.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import { float32 } from "../../tensor/tensor.ts";
import { weightsOf } from "../checkpoints/weights.ts";
import { freshWeights } from "../fresh-weights.ts";
import { spatialTransformer } from "./spatial-transformer.ts";
import { buildStegaEncoder, buildStegaStamp, type StegaPlan } from "./stegastamp.ts";

const dims = { channels: 3, height: 16, width: 32 };
const options = { bits: 5 };
const secret = float32([3, 5], [1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
const feeds = { pixel_values: unitNoise([3, 3, 16, 32]), secret };
const stamp = (plan: Partial<StegaPlan> = {}) => buildStegaStamp({ dims, options, weights: hashedWeights(), ...plan });

describe("stegastamp", () => {
  it("hides a secret and reads it, row by row", async () => {
    const { residual, images, logits } = await expectRowsAlone(stamp(), feeds);
    expect(residual!.dims).toEqual([3, 3, 16, 32]);
    expect(logits!.dims).toEqual([3, 5]);
    const sums = Array.from(feeds.pixel_values.data, (x, i) => Math.min(Math.max(x + Number(residual!.data[i]), 0), 1));
    expect(images!.data as Float32Array).toBeAllclose(sums, { atol: 1e-6 });
    const { residual: other } = await runGraph(stamp(), { ...feeds, secret: float32([3, 5]) });
    expect(other!.data).not.toEqual(residual!.data);
  });

  it("the encoder alone adds the same residual with the weights of both", async () => {
    const drawn = freshWeights(4);
    const both = await runGraph(stamp({ weights: drawn }), feeds);
    const weights = weightsOf(new Map(drawn.state), "checkpoint");
    const { residual, images } = await runGraph(buildStegaEncoder({ dims, options, weights }), feeds);
    expect(residual!.data).toEqual(both["residual"]!.data);
    expect(images!.data).toEqual(both["images"]!.data);
    expect(weights.unused().every((name) => name.startsWith("decoder."))).toBe(true);
  });

  it.each([
    { size: { channels: 1, height: 28, width: 28 }, layers: 4, deepest: 128 },
    { size: { channels: 3, height: 64, width: 64 }, layers: 5, deepest: 256 },
    { size: { channels: 3, height: 40, width: 56 }, layers: 5, deepest: 256 },
    { size: { channels: 3, height: 15, width: 9 }, layers: 2, deepest: 32 },
  ])("fits $size", async ({ size, layers, deepest }) => {
    const weights = hashedWeights();
    const { channels, height, width } = size;
    const small = { pixel_values: unitNoise([1, channels, height, width]), secret: float32([1, 2], [1, 0]) };
    const { images, logits } = await runGraph(stamp({ dims: size, options: { bits: 2 }, weights }), small);
    expect(images!.dims).toEqual([1, channels, height, width]);
    expect(logits!.dims).toEqual([1, 2]);
    expect(weights.state.get(`encoder.conv${layers}.weight`)?.dims[0]).toBe(deepest);
    expect(weights.state.has(`encoder.up${layers}.weight`)).toBe(false);
    expect(weights.state.has(`encoder.up${layers + 1}.weight`)).toBe(true);
  });

  it.each([{ output: "logits" }, { output: "residual" }])(
    "every weight learns from the $output",
    async ({ output }) => {
      const plan = output === "residual" ? { dims, options, weights: hashedWeights() } : undefined;
      const graph = plan === undefined ? stamp() : buildStegaEncoder(plan);
      const names = await expectEveryWeightLearns(graph, output, feeds);
      expect(names).toContain("encoder.secret_dense.weight");
      expect(names.includes("decoder.stn.affine")).toBe(output === "logits");
    },
  );

  it.each<{ plan: Partial<StegaPlan>; message: RegExp }>([
    { plan: { options: { bits: 0 } }, message: /^stegastamp: option "bits"/ },
    { plan: { dims: { ...dims, height: 0 } }, message: /^stegastamp: height: expected an integer/ },
    {
      plan: { dims: { channels: 3, height: 4096, width: 4096 } },
      message: /expected at most 134217728 weights between the secret and the pixels, got 251658240/,
    },
  ])("refuses $plan", ({ plan, message }) => {
    expect(() => stamp(plan)).toThrow(message);
  });
});

describe("spatialTransformer", () => {
  const moved = async (start: readonly number[]): Promise<number[]> => {
    const b = new GraphBuilder();
    const image = { value: b.input("x", "float32", ["N", 1, 2, 4]), channels: 1, height: 2, width: 4 };
    const fresh = freshWeights(1);
    const take: typeof fresh.take = (name, shape) =>
      name === "stn.start" ? float32(shape, start) : fresh.take(name, shape);
    b.output("y", spatialTransformer({ b, weights: { ...fresh, take } }, "stn", image).value, "float32");
    const { y } = await runGraph(b.build("stn"), { x: float32([1, 1, 2, 4], [1, 2, 3, 4, 5, 6, 7, 8]) });
    return [...(y!.data as Float32Array)];
  };

  it("moves nothing at first", async () => {
    expect(await moved([0, 0, 0, 0, 0, 0])).toBeAllclose([1, 2, 3, 4, 5, 6, 7, 8], { atol: 1e-5 });
  });

  it("moves sideways by half a width, and mirrors upside down", async () => {
    expect(await moved([0, 0, 1, 0, 0, 0])).toBeAllclose([3, 4, 0, 0, 7, 8, 0, 0], { atol: 1e-5 });
    expect(await moved([0, 0, 0, 0, -2, 0])).toBeAllclose([5, 6, 7, 8, 1, 2, 3, 4], { atol: 1e-5 });
  });
});
