import { describe, expect, test } from "vitest";
import { OptionError } from "../../core/errors.ts";
import { linearBetas, makeSchedule, rescaleTimesteps } from "../../diffusion/schedules.ts";
import { tensor } from "../../tensor/tensor.ts";
import { type DiffusionBatches, diffusionBatches } from "./diffusion.ts";
import { createOrder } from "./order.ts";

const schedule = makeSchedule(linearBetas(50));
const images = tensor(
  "uint8",
  [30, 2, 3, 3],
  Uint8Array.from({ length: 540 }, (_, i) => (37 * i) % 256),
);
const settings: DiffusionBatches = { images, schedule, batch: 8, seed: 4 };

async function arrays(changes: Partial<DiffusionBatches>, step: number): Promise<Record<string, Float32Array>> {
  const feeds = await diffusionBatches({ ...settings, ...changes })(step);
  return Object.fromEntries(Object.entries(feeds).map(([name, { data }]) => [name, data as Float32Array]));
}

describe("diffusion batches", () => {
  test("are the order's images in [-1, 1], with as much noise on top as the timestep says", async () => {
    const feeds = await diffusionBatches(settings)(3);
    expect([feeds["sample"]!.dims, feeds["timestep"]!.dims, feeds["noise"]!.dims]).toEqual([
      [8, 2, 3, 3],
      [8],
      [8, 2, 3, 3],
    ]);
    const { sample = [], timestep = [], noise = [] } = await arrays({}, 3);
    [...createOrder({ items: 30, batch: 8, seed: 4 })(3)].forEach((item, row) => {
      const alphaBar = schedule.alphasBar[timestep[row]!]!;
      for (let i = 0; i < 18; i++) {
        const pixel = images.data[item * 18 + i]! / 127.5 - 1;
        const expected = Math.sqrt(alphaBar) * pixel + Math.sqrt(1 - alphaBar) * noise[row * 18 + i]!;
        expect(sample[row * 18 + i]).toBeCloseTo(expected, 5);
      }
    });
  });

  test("a row's noise and timestep are functions of seed, step and row, whatever the batch", async () => {
    const own = await arrays({}, 5);
    expect(await arrays({}, 5)).toEqual(own);
    const two = await arrays({ batch: 2 }, 5);
    expect([two["noise"], two["timestep"]]).toEqual([own["noise"]!.slice(0, 36), own["timestep"]!.slice(0, 2)]);
    for (const other of [await arrays({}, 6), await arrays({ seed: 5 }, 5)]) {
      expect(other["noise"]).not.toEqual(own["noise"]);
      expect(other["timestep"]).not.toEqual(own["timestep"]);
    }
  });

  test("timesteps are spread over the schedule, noise is normal", async () => {
    const batches = diffusionBatches({ ...settings, batch: 30 });
    const counts = new Float64Array(50);
    const noise: number[] = [];
    for (let step = 0; step < 100; step++) {
      const feeds = await batches(step);
      for (const t of feeds["timestep"]!.data as Float32Array) counts[t]! += 1;
      noise.push(...(feeds["noise"]!.data as Float32Array));
    }
    for (const count of counts) expect(Math.abs(count - 60)).toBeLessThan(5 * Math.sqrt(60));
    const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
    const variance = noise.reduce((sum, value) => sum + (value - mean) ** 2, 0) / noise.length;
    expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(noise.length));
    expect(Math.abs(variance - 1)).toBeLessThan(5 * Math.sqrt(2 / noise.length));
  });

  test("the net is shown the schedule's own timesteps", async () => {
    const { timestep = [] } = await arrays({ schedule: rescaleTimesteps(schedule) }, 0);
    const { timestep: plain = [] } = await arrays({}, 0);
    expect([...timestep]).toBeAllclose(
      [...plain].map((t) => 20 * t),
      { rtol: 1e-6 },
    );
  });

  test("fewer images than a batch are refused", () => {
    const open = (): unknown => diffusionBatches({ ...settings, batch: 31 });
    expect(open).toThrow("training: expected at least 31 images for a batch, got 30.");
    expect(open).toThrow(OptionError);
  });
});
