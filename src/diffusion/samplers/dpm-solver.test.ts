/** @file Orders of convergence and exactness of DPM-Solver, single- and multistep. */
import { describe, expect, it } from "vitest";
import { gaussianDenoiser, perfectDenoiser } from "../../../test/support/denoisers.ts";
import type { RealTensor } from "../../tensor/tensor.ts";
import { alphaBarCurve } from "../prediction-type.ts";
import { cosineBetas, linearBetas, makeSchedule, zeroSnrBetas } from "../schedules.ts";
import type { SolverAlgorithm } from "./dpm-solver.ts";
import { dpmSolverMultistep } from "./dpm-solver-multistep.ts";
import { dpmSolverSinglestep, singlestepOrders } from "./dpm-solver-singlestep.ts";
import { indexGrid, indicesAbove, karrasGrid, lambdaGrid, ratioAt, solverIndices } from "./solver-grids.ts";

const schedule = makeSchedule(linearBetas(1000));
const scalar = (value: number): RealTensor => ({ dtype: "float64", dims: [1, 1, 1, 1], data: Float64Array.of(value) });

describe("on Gaussian data", () => {
  const [mean, deviation] = [0.3, 0.5];
  const [start, end] = [499, 49]; // continuous times 0.5 and 0.05
  const predict = gaussianDenoiser(schedule, mean, deviation);

  /** The closed-form solution of the probability-flow ODE at `end`, from x = 1.1 at `start`. */
  const truth = (() => {
    const [from, to] = [schedule.alphasBar[start]!, schedule.alphasBar[end]!];
    const spread = (alphaBar: number) => Math.sqrt(alphaBar * deviation ** 2 + 1 - alphaBar);
    return Math.sqrt(to) * mean + ((1.1 - Math.sqrt(from) * mean) * spread(to)) / spread(from);
  })();

  type Order = 1 | 2 | 3;
  async function error(kind: "single" | "multi", steps: number, order: Order, algorithm: SolverAlgorithm) {
    // A singlestep step of order n is n points of the grid.
    const grid = lambdaGrid(schedule, { start, end, steps: kind === "single" ? steps * order : steps });
    const options = { grid, order, algorithm, lowerOrderFinal: false };
    const { data } =
      kind === "single"
        ? await dpmSolverSinglestep(predict, scalar(1.1), { ...options, form: "paper" })
        : await dpmSolverMultistep(predict, scalar(1.1), options);
    return Math.abs(data[0]! - truth);
  }

  it.each<[string, "single" | "multi", Order, SolverAlgorithm, number[]]>([
    ["1", "multi", 1, "dpmsolver", [5.6e-2, 2.9e-2, 1.5e-2, 7.4e-3]],
    ["1++", "multi", 1, "dpmsolver++", [5.6e-2, 2.9e-2, 1.5e-2, 7.4e-3]],
    ["single-2", "single", 2, "dpmsolver", [8.1e-3, 1.9e-3, 4.7e-4, 1.2e-4]],
    ["single-2++", "single", 2, "dpmsolver++", [6.7e-3, 1.8e-3, 4.5e-4, 1.1e-4]],
    ["single-3", "single", 3, "dpmsolver", [1.6e-4, 1.8e-5, 2.1e-6, 2.6e-7]],
    ["single-3++", "single", 3, "dpmsolver++", [5.3e-5, 8.4e-6, 1.2e-6, 1.5e-7]],
    ["2M", "multi", 2, "dpmsolver", [1.2e-2, 3e-3, 7.5e-4, 1.9e-4]],
    ["2M++", "multi", 2, "dpmsolver++", [2.5e-3, 1.9e-4, 1.2e-4, 3.8e-5]],
    ["3M", "multi", 3, "dpmsolver", [5.8e-3, 1.2e-3, 2.8e-4, 7e-5]],
    ["3M++", "multi", 3, "dpmsolver++", [4.9e-3, 5.9e-4, 7.3e-5, 1.2e-5]],
  ])(
    "%s errs as the formulas coded apart do, at 6, 12, 24 and 48 steps",
    async (_, kind, order, algorithm, expected) => {
      const errors = await Promise.all([6, 12, 24, 48].map((steps) => error(kind, steps, order, algorithm)));
      // Expected values have two digits.
      expect(errors).toBeAllclose(expected, { rtol: 0.05 });
    },
  );

  it.each([1, 2, 3] as const)("singlestep order %i divides the error by 2^order when steps double", async (order) => {
    for (const algorithm of ["dpmsolver", "dpmsolver++"] as const) {
      const [coarse, fine] = await Promise.all([24, 48].map((steps) => error("single", steps, order, algorithm)));
      expect(Math.log2(coarse! / fine!)).toBeGreaterThan(order - 0.1);
    }
  });
});

describe("with a net that always names the same clean image", () => {
  const x0 = scalar(-0.7);
  const x = scalar(1.3);

  it.each([1, 2, 3] as const)("every ++ step of order %i is exact", async (order) => {
    const grid = lambdaGrid(schedule, { start: 700, end: 20, steps: 12 });
    const alphaOf = (ratio: number) => 1 / Math.sqrt(ratio * ratio + 1);
    const exact = Array.from(grid.ratios.subarray(1), (ratio) => {
      const [a, aStart] = [alphaOf(ratio), alphaOf(grid.ratios[0]!)];
      return a * -0.7 + ((ratio * a) / (grid.ratios[0]! * aStart)) * (1.3 - aStart * -0.7);
    });
    const predict = perfectDenoiser(schedule, x0);
    for (const form of ["midpoint", "heun"] as const) {
      for (const sampler of [dpmSolverMultistep, dpmSolverSinglestep]) {
        const seen: number[] = [];
        await sampler(predict, x, { grid, order, form, onStep: (_, { data }) => seen.push(data[0]!) });
        expect(seen).toBeAllclose(exact, { atol: 1e-12 });
      }
    }
  });

  it("ends on it, from the last index of a zero-SNR schedule too", async () => {
    const flat = makeSchedule(zeroSnrBetas(schedule.betas));
    const predict = async (x: RealTensor) => ({ noise: x, x0 });
    for (const algorithm of ["dpmsolver", "dpmsolver++"] as const) {
      const grid = indexGrid(flat, [999, 600, 200], "zero");
      const { data } = await dpmSolverMultistep(
        algorithm === "dpmsolver" ? perfectDenoiser(schedule, x0) : predict,
        x,
        {
          grid: algorithm === "dpmsolver" ? indexGrid(schedule, [999, 600, 200], "zero") : grid,
          algorithm,
        },
      );
      expect(data[0]).toBeCloseTo(-0.7, 9);
    }
  });
});

describe("refusals", () => {
  const predict = gaussianDenoiser(schedule, 0, 1);
  const sample =
    (grid: ReturnType<typeof indexGrid>, algorithm: SolverAlgorithm = "dpmsolver++") =>
    () =>
      dpmSolverMultistep(predict, scalar(0), { grid, algorithm });

  it("says what does not fit", async () => {
    expect(sample(indexGrid(schedule, [5, 9], "zero"))).toThrow("expected a grid whose noise falls");
    expect(sample(indexGrid(schedule, [5, 0], "index-0"))).toThrow("expected a grid whose noise falls");
    expect(sample({ timesteps: Float64Array.of(3), ratios: Float64Array.of(1) })).toThrow("got 1 and 1.");
    expect(sample(indexGrid(schedule, [5], "zero"), "sde-dpmsolver")).toThrow("expected a grid that ends at index 0");
    const sde = dpmSolverMultistep(predict, scalar(0), {
      grid: indexGrid(schedule, [5], "index-0"),
      algorithm: "sde-dpmsolver",
    });
    await expect(sde).rejects.toThrow("sde-dpmsolver: expected noise");
  });
});

describe("grids", () => {
  it("lambda: even in log-SNR, ends exact, fractional timesteps in between", () => {
    const { timesteps, ratios } = lambdaGrid(schedule, { start: 499, end: 49, steps: 3 });
    expect(timesteps[0]).toBeCloseTo(499, 9);
    const shown = timesteps.map(alphaBarCurve(schedule));
    expect(shown.map((alphaBar) => Math.sqrt((1 - alphaBar) / alphaBar))).toBeAllclose(ratios.subarray(0, 3), {
      rtol: 1e-12,
    });
    const lambdas = Array.from(ratios, (ratio) => -Math.log(ratio));
    expect(lambdas[3]! - lambdas[2]!).toBeCloseTo(lambdas[1]! - lambdas[0]!, 12);
    expect([ratios[0], ratios[3]]).toEqual([499, 49].map((i) => expect.closeTo(ratioAt(schedule, i), 12)));
    expect(() => lambdaGrid(schedule, { start: 4, end: 4, steps: 3 })).toThrow(
      "end: expected an index below the start 4",
    );
  });

  it("lambda and karras end on the clean image, after an evaluation at index 0", () => {
    for (const { timesteps, ratios } of [
      lambdaGrid(schedule, { start: 499, end: "zero", steps: 5 }),
      karrasGrid(schedule, { start: 499, steps: 5 }),
    ]) {
      expect([timesteps.length, timesteps[0], timesteps[4]]).toEqual([5, expect.closeTo(499, 9), 0]);
      expect([ratios.length, ratios[5]]).toEqual([6, 0]);
    }
  });

  it("shows rescaled timesteps", () => {
    const rescaled = { ...schedule, timesteps: schedule.timesteps.map((t) => t / 4) };
    expect(lambdaGrid(rescaled, { start: 400, end: 0, steps: 2 }).timesteps[0]).toBeCloseTo(100, 9);
    expect(karrasGrid(rescaled, { start: 400, steps: 2 }).timesteps[0]).toBe(100);
  });

  it("leaves out the noisiest end of a cosine schedule, and refuses too many steps", () => {
    expect(indicesAbove(makeSchedule(cosineBetas(1000)), -5.1)).toBe(996);
    expect(() => solverIndices(10, 10)).toThrow("steps: expected an integer from 1 to 9, got 10.");
  });

  it("singlestep orders are those of diffusers", () => {
    const orders = (steps: number, order: 1 | 2 | 3, lowerOrderFinal: boolean, toClean: boolean) =>
      singlestepOrders(steps, order, { lowerOrderFinal, toClean }).join("");
    expect(orders(9, 3, false, false)).toBe("123123123");
    expect(orders(9, 3, true, false)).toBe("123123121");
    expect(orders(7, 3, false, false)).toBe("1231231");
    expect(orders(8, 3, false, false)).toBe("12312312");
    expect(orders(8, 3, false, true)).toBe("12312311");
    expect(orders(8, 2, false, true)).toBe("12121211");
    expect(orders(7, 2, false, true)).toBe("1212121");
    expect(orders(3, 1, false, true)).toBe("111");
  });
});
