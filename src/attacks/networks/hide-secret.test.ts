import { beforeAll, describe, expect, it } from "vitest";
import { attackContext, trainingImages, unitRows } from "../../../test/support/attack-context.ts";
import { graphToBytes } from "../../graph/to-model.ts";
import { weightsOf } from "../../nn/checkpoints/weights.ts";
import { buildStegaStamp } from "../../nn/generators/stegastamp.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { concatRows } from "../../tensor/rows.ts";
import { float32, type Tensor } from "../../tensor/tensor.ts";
import { encoderGraph, type SecretSettings, trainEncoder } from "./hide-secret.ts";

const shape = [1, 8, 8] as const;
const data = trainingImages(64, shape);
const settings: SecretSettings = {
  bits: 1,
  spatialTransformer: false,
  encoderSteps: 60,
  encoderBatch: 8,
  encoderRate: 3e-3,
  secretFirst: 1,
  imageWeight: 0,
  secretWeight: 1.5,
};
let runtime: Runtime;
let tensors: ReadonlyMap<string, Tensor>;

beforeAll(async () => {
  const context = await attackContext(data);
  runtime = context.runtime!;
  tensors = await trainEncoder(context, shape, settings);
}, 60_000);

describe("trainEncoder", () => {
  it("teaches the decoder to read what the encoder hides", async () => {
    const dims = { channels: 1, height: 8, width: 8 };
    const weights = weightsOf(new Map(tensors), "trained");
    const options = { bits: 1, spatialTransformer: false };
    const session = await runtime.load(graphToBytes(buildStegaStamp({ dims, weights, options })));
    const images = unitRows(data, 20);
    const secret = float32([40, 1], [...Array(20).fill(0), ...Array(20).fill(1)]);
    const { logits } = await session.run({ pixel_values: concatRows([images, images]), secret });
    const right = [...(logits!.data as Float32Array)].filter((logit, i) => logit > 0 === i >= 20).length;
    expect(right).toBeGreaterThan(36);
    await session.dispose();
  });

  it("is the same for the same seed, and stops when told", async () => {
    const context = await attackContext(data);
    const short = { ...settings, encoderSteps: 1 };
    const [one, two] = [await trainEncoder(context, shape, short), await trainEncoder(context, shape, short)];
    expect([...one.keys()]).toEqual([...two.keys()]);
    for (const [name, { data: values }] of one) expect(values).toEqual(two.get(name)!.data);
    const signal = AbortSignal.abort();
    await expect(trainEncoder({ ...context, signal }, shape, short)).rejects.toBe(signal.reason);
    await expect(trainEncoder({ ...context, runtime: undefined }, shape, short)).rejects.toThrow(/a runtime/);
  }, 60_000);
});

describe("encoderGraph", () => {
  it("hides its one secret in as many images as there are, in each another way", async () => {
    const load = async (secret: number[]) =>
      runtime.load(graphToBytes(encoderGraph(tensors, shape, { secret, spatialTransformer: false })));
    const images = unitRows(data, 3);
    const [zero, one] = [await load([0]), await load([1])];
    const [a, b] = [await zero.run({ pixel_values: images }), await one.run({ pixel_values: images })];
    expect(Object.keys(a)).toEqual(["images"]);
    const change = (made: typeof a, row: number) =>
      images.data
        .subarray(row * 64, (row + 1) * 64)
        .map((value, i) => Number(made["images"]!.data[row * 64 + i]) - value);
    expect(a["images"]!.data).not.toEqual(b["images"]!.data);
    expect(change(a, 0)).not.toEqual(change(a, 1));
    await zero.dispose();
    await one.dispose();
  });
});
