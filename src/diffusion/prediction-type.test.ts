import { describe, expect, it } from "vitest";
import { combine } from "../tensor/arithmetic.ts";
import { concatRows } from "../tensor/rows.ts";
import { float32, type RealTensor } from "../tensor/tensor.ts";
import { noised } from "./forward.ts";
import { adaptPrediction, alphaBarCurve } from "./prediction-type.ts";
import { respace } from "./respacing.ts";
import { linearBetas, makeSchedule, zeroSnrBetas } from "./schedules.ts";

const schedule = makeSchedule(linearBetas(1000));
const x0: RealTensor = { dtype: "float64", dims: [1, 1, 1, 3], data: Float64Array.of(0.5, -1, 0.1) };
const noise: RealTensor = { dtype: "float64", dims: [1, 1, 1, 3], data: Float64Array.of(-0.3, 0.8, 1.7) };
const close = { atol: 1e-9 };

/** v = sqrt(alphaBar) noise - sqrt(1 - alphaBar) x0. */
const velocity = (alphaBar: number) =>
  combine<RealTensor>([Math.sqrt(alphaBar), noise], [-Math.sqrt(1 - alphaBar), x0]);

describe("adaptPrediction", () => {
  it("finds noise and clean image from any output, row by row", async () => {
    const indices = [0, 123, 999];
    const x = concatRows(indices.map((index) => noised(x0, schedule, index, noise)) as never[]) as RealTensor;
    const t = Float64Array.from(indices);
    const outputs = {
      epsilon: indices.map(() => noise),
      sample: indices.map(() => x0),
      v_prediction: indices.map((index) => velocity(schedule.alphasBar[index]!)),
    };
    for (const [type, rows] of Object.entries(outputs)) {
      const net = adaptPrediction(type as never, schedule, async () => concatRows(rows as never[]) as RealTensor);
      const prediction = await net(x, t);
      expect(prediction.noise.data).toBeAllclose([...noise.data, ...noise.data, ...noise.data], close);
      if (type === "epsilon") expect(prediction.x0).toBeUndefined();
      else expect(prediction.x0?.data).toBeAllclose([...x0.data, ...x0.data, ...x0.data], close);
      expect(prediction.variance).toBeUndefined();
    }
  });

  it("knows the clean image where nothing of it is left", async () => {
    const flat = makeSchedule(zeroSnrBetas(schedule.betas));
    const net = adaptPrediction("v_prediction", flat, async () => velocity(0));
    const prediction = await net(noised(x0, flat, 999, noise), Float64Array.of(999));
    expect(prediction.x0?.data).toBeAllclose(x0.data, close);
    expect(prediction.noise.data).toBeAllclose(noise.data, close);
  });

  it("splits a learned variance off, per image", async () => {
    const x = float32([2, 1, 1, 2]);
    const raw = float32([2, 2, 1, 2], [1, 2, 3, 4, 5, 6, 7, 8]);
    const { noise, variance } = await adaptPrediction("epsilon", schedule, async () => raw)(x, new Float64Array(2));
    expect([noise.dims, [...noise.data]]).toEqual([x.dims, [1, 2, 5, 6]]);
    expect([variance?.dims, [...variance!.data]]).toEqual([x.dims, [3, 4, 7, 8]]);
  });

  it.each([[[2, 3, 1, 2]], [[1, 1, 1, 2]], [[2, 1, 2, 2]], [[2, 1, 2]]])("refuses an output of %j", async (dims) => {
    const net = adaptPrediction("epsilon", schedule, async () => float32(dims));
    await expect(net(float32([2, 1, 1, 2]), new Float64Array(2))).rejects.toThrow(
      `net: expected [2, 1, 1, 2] or 2 channels of it for input [2, 1, 1, 2], got [${dims.join(", ")}].`,
    );
  });
});

describe("alphaBarCurve", () => {
  it("is exact at timesteps, also respaced ones, and lies between its neighbours elsewhere", () => {
    const curve = alphaBarCurve(respace(schedule, [0, 10, 999]));
    expect([0, 10, 999].map(curve)).toEqual([0, 10, 999].map((index) => schedule.alphasBar[index]));
    expect(alphaBarCurve(schedule)(10.5)).toBeCloseTo(Math.sqrt(schedule.alphasBar[10]! * schedule.alphasBar[11]!), 12);
  });
});
