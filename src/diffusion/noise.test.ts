import { describe, expect, it } from "vitest";
import { createNoise, type ImageId } from "../core/noise.ts";
import { float32 } from "../tensor/tensor.ts";
import { noiseLike } from "./noise.ts";

const ids: ImageId[] = [
  [1, 2],
  [3, 4],
  [5, 6],
];

describe("noiseLike", () => {
  it("gives each row the noise of its own image, whatever else is in the batch", () => {
    const batch = noiseLike({ noise: createNoise(9, ids) }, "vote0/first", float32([3, 2, 2, 2]))(4);
    const alone = noiseLike({ noise: createNoise(9, [ids[2]!]) }, "vote0/first", float32([1, 2, 2, 2]))(4);
    expect(batch.dims).toEqual([3, 2, 2, 2]);
    expect(batch.data.subarray(16)).toEqual(alone.data);
  });

  it("is a function of the step and the stream, not of call order", () => {
    const run = { noise: createNoise(9, ids) };
    const draw = noiseLike(run, "a", float32([3, 1, 1, 4]));
    const first = draw(0).data;
    expect(draw(1).data).not.toEqual(first);
    expect(draw(0).data).toEqual(first);
    expect(noiseLike(run, "b", float32([3, 1, 1, 4]))(0).data).not.toEqual(first);
  });
});
