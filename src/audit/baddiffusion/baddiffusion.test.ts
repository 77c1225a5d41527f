import { describe, expect, it } from "vitest";
import { linearBetas, makeSchedule } from "../../diffusion/schedules.ts";
import { float32 } from "../../tensor/tensor.ts";
import { backdooredStep, triggeredBase } from "./forward.ts";
import { box, placed, withoutWhite } from "./paint.ts";
import { drawPicture } from "./pictures.ts";

const mean = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("drawn pictures", () => {
  it("show the same at every size, left as right", () => {
    for (const name of ["stop-sign", "glasses", "hat"] as const) {
      const [small, large] = [14, 112].map((side) => drawPicture(name, side, 3));
      expect(mean(small!.data)).toBeCloseTo(mean(large!.data), 1);
      expect(Math.max(...small!.data)).toBeLessThanOrEqual(1);
      expect(Math.min(...small!.data)).toBeGreaterThan(-1);
      const mirrored = large!.data.map((_, i) => large!.data[i - (i % 112) + 111 - (i % 112)]!);
      // Samples on the very outline fall to one side or the other.
      const unlike = mirrored.filter((value, i) => Math.abs(value - large!.data[i]!) > 1e-6);
      expect(unlike.length / mirrored.length, name).toBeLessThan(1e-3);
    }
  });

  it("cover what an octagon covers", () => {
    const sign = withoutWhite(drawPicture("stop-sign", 200, 1));
    const covered = sign.data.filter((value) => value > -1).length / sign.data.length;
    expect(covered).toBeCloseTo(0.9 ** 2 * 2 * (Math.SQRT2 - 1), 1);
  });

  it("are as bright in grey as in colour", () => {
    const colour = drawPicture("hat", 8, 3).data;
    const grey = drawPicture("hat", 8, 1);
    expect(grey.dims).toEqual([1, 8, 8]);
    grey.data.forEach((value, i) => {
      expect(value).toBeCloseTo(0.299 * colour[i]! + 0.587 * colour[i + 64]! + 0.114 * colour[i + 128]!, 5);
    });
  });
});

describe("triggers of diffusion models", () => {
  it("leave the image where they are black", () => {
    const trigger = placed(box(1, 2), [1, 5, 6]);
    const base = triggeredBase(float32([2, 1, 5, 6], new Float32Array(60).fill(0.7)), trigger);
    expect([...base.data].filter((value) => value === 0).length).toBe(8);
    expect([...base.data].filter((value) => Math.abs(value - 0.7) < 1e-6).length).toBe(52);
    expect(() => placed(box(1, 4), [1, 5, 6])).toThrow(
      "baddiffusion: expected a picture of 1 channels inside 5x6 pixels, got 1 channels of 4x4.",
    );
    expect(() => placed(box(3, 2), [1, 5, 6])).toThrow(/got 3 channels of 2x2/);
  });

  it("do not let rows of a batch meet", () => {
    const schedule = makeSchedule(linearBetas(1000));
    const of = (shift: number, rows: number) =>
      float32(
        [rows, 1, 2, 2],
        Float32Array.from({ length: 4 * rows }, (_, i) => Math.sin(i + shift)),
      );
    const [y, r, noise] = [0, 1, 2].map((shift) => of(shift, 3));
    const together = backdooredStep(y!, r!, { noise: noise!, schedule, indices: [3, 500, 999] });
    const row = (t: { data: Float32Array }) => float32([1, 1, 2, 2], t.data.slice(4, 8));
    const alone = backdooredStep(row(y!), row(r!), { noise: row(noise!), schedule, indices: [500] });
    expect(together.sample.data.slice(4, 8)).toEqual(alone.sample.data);
    expect(together.prediction.data.slice(4, 8)).toEqual(alone.prediction.data);
  });
});
