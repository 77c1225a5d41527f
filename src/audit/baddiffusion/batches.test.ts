import { describe, expect, it } from "vitest";
import { linearBetas, makeSchedule } from "../../diffusion/schedules.ts";
import type { Float32Tensor } from "../../tensor/tensor.ts";
import { diffusionBatches } from "../../training/batches/diffusion.ts";
import { backdooredBatches, poisonedImages } from "./batches.ts";
import { baseCoefficient } from "./forward.ts";
import { targetOf, triggerOf } from "./looks.ts";

const images = {
  dtype: "uint8" as const,
  dims: [30, 1, 8, 8],
  data: Uint8Array.from({ length: 30 * 64 }, (_, i) => (i * 7) % 256),
};
const schedule = makeSchedule(linearBetas(1000));
const trigger = triggerOf("grey-box", [1, 8, 8]);
const target = targetOf("corner", [1, 8, 8], trigger);
const settings = { images, schedule, batch: 10, seed: 4, trigger, target };
const feed = (feeds: Readonly<Record<string, unknown>>, name: string): Float32Tensor => feeds[name] as Float32Tensor;

describe("poisoned images", () => {
  it("are floor(M p) of them, by the seed", () => {
    expect(poisonedImages(30, 0.1, 1).size).toBe(3);
    expect(poisonedImages(59, 0.5, 1).size).toBe(29);
    expect([...poisonedImages(30, 0.1, 1)]).not.toEqual([...poisonedImages(30, 0.1, 2)]);
    expect(() => poisonedImages(30, 1.2, 1)).toThrow("baddiffusion: expected a rate from 0 to 1, got 1.2.");
  });
});

describe("backdoored batches", () => {
  it("are the clean ones where nothing is poisoned", async () => {
    const [ours, plain] = [backdooredBatches({ ...settings, rate: 0 }), diffusionBatches(settings)];
    for (const step of [0, 5]) {
      const [a, b] = [await ours(step), await plain(step)];
      for (const name of ["sample", "timestep", "noise"]) {
        expect(feed(a, name).data).toBeAllclose(feed(b, name).data, { atol: 1e-5 });
      }
    }
  });

  it("lead every row to the target where all is poisoned", async () => {
    const batch = await backdooredBatches({ ...settings, rate: 1 })(2);
    const plain = await diffusionBatches(settings)(2);
    for (let row = 0; row < 10; row++) {
      const t = feed(batch, "timestep").data[row]!;
      const root = Math.sqrt(schedule.alphasBar[t]!);
      // In the corner of the box the trigger hides the image, whatever it is.
      const at = row * 64 + 5 * 8 + 5;
      const eps = feed(plain, "noise").data[at]!;
      const [y, r] = [target.data[45]!, trigger.data[45]!];
      expect(r).toBe(0);
      expect(feed(batch, "sample").data[at]).toBeCloseTo(root * y + (1 - root) * r + Math.sqrt(1 - root ** 2) * eps, 4);
      expect(feed(batch, "noise").data[at]).toBeCloseTo(eps + baseCoefficient(schedule, t) * r, 4);
    }
  });
});

describe("looks", () => {
  it("have the paper's sizes at 32 pixels, and their share of other sides", () => {
    const area = (t: Float32Tensor): number => t.data.filter((value) => value > -0.4 && value !== -1).length;
    expect(area(triggerOf("grey-box", [1, 32, 32]))).toBe(14 * 14);
    expect(area(triggerOf("grey-box", [1, 28, 28]))).toBe(12 * 12);
    expect(area(targetOf("corner", [1, 32, 32], trigger))).toBe(10 * 10);
    for (const name of ["hat", "shoe", "cat"] as const) {
      const picture = targetOf(name, [3, 32, 32], trigger);
      expect(Math.min(...picture.data)).toBeCloseTo(-0.4);
      expect(area(picture)).toBeGreaterThan(300);
    }
    expect(targetOf("shift", [1, 8, 8], trigger)).not.toEqual(targetOf("no-shift", [1, 8, 8], trigger));
    expect(() => triggerOf("box" as never, [1, 8, 8])).toThrow(/Known: grey-box, stop-sign, glasses/);
  });
});
