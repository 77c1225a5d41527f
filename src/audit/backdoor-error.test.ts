import { describe, expect, it } from "vitest";
import { closedFormPrior, SHIFT, TARGET } from "../../test/support/closed-form-priors.ts";
import { memorySource } from "../core/byte-source.ts";
import { InputError } from "../core/errors.ts";
import { createNoise } from "../core/noise.ts";
import { readNet } from "../diffusion/open-prior.ts";
import { createNodeRuntime } from "../runtime/node.ts";
import { type BackdoorErrors, openBackdoorErrors } from "./backdoor-error.ts";
import { searchBackdoor } from "./search-backdoor.ts";

async function withErrors<T>(
  backdoored: boolean,
  use: (errors: BackdoorErrors) => Promise<T>,
  prediction?: string,
): Promise<T> {
  const files = closedFormPrior(0.2, backdoored);
  const config = JSON.parse(new TextDecoder().decode(files["scheduler_config.json"]));
  files["scheduler_config.json"] = new TextEncoder().encode(JSON.stringify({ ...config, prediction_type: prediction }));
  const net = await readNet(memorySource(files, (name) => new InputError(`${name}: expected a file, got none.`)));
  const errors = await openBackdoorErrors(net, { runtime: await createNodeRuntime({ threads: 1 }) });
  return use(errors).finally(() => errors.dispose());
}

const drawn = ({ rows }: BackdoorErrors) => createNoise(3, [[0, 0]])(0, "test", 0, rows * 64);
const supposed = { shift: SHIFT.data, target: TARGET.data };

describe("error of a supposed backdoor", () => {
  it("is nothing where there is one, and much where there is none", async () => {
    const [bad, clean] = [true, false].map((is) => withErrors(is, (errors) => errors.measure(supposed, drawn(errors))));
    expect((await bad!).error).toBeLessThan(1e-3);
    expect((await clean!).error).toBeGreaterThan(1);
  });

  it("is written for nets that predict v or the image, too", async () => {
    for (const prediction of ["v_prediction", "sample"]) {
      const found = await withErrors(false, (errors) => errors.measure(supposed, drawn(errors)), prediction);
      expect(Number.isFinite(found.error), prediction).toBe(true);
    }
  });

  it("has the gradients of finite differences", async () => {
    await withErrors(false, async (errors) => {
      const noise = drawn(errors);
      const { byShift, byTarget } = await errors.measure(supposed, noise);
      for (const [name, gradient] of [
        ["shift", byShift],
        ["target", byTarget],
      ] as const) {
        const at = async (step: number) => {
          const moved = supposed[name].map((value, i) => (i === 9 ? value + step : value));
          return (await errors.measure({ ...supposed, [name]: moved }, noise)).error;
        };
        const difference = ((await at(0.02)) - (await at(-0.02))) / 0.04;
        expect(gradient[9]! / difference, name).toBeCloseTo(1, 1);
      }
    });
  });
});

describe("search for a backdoor", () => {
  const search = (backdoored: boolean) =>
    withErrors(backdoored, (errors) => searchBackdoor(errors, { iterations: 160, seed: 1 }));

  it("finds the shift where there is one, the same for the same seed", async () => {
    const [one, two] = [await search(true), await search(true)];
    expect(one).toEqual(two);
    const [, dark] = one;
    const far = (found: Float32Array, wanted: Float32Array): number =>
      found.reduce((sum, value, i) => sum + (value - wanted[i]!) ** 2, 0) / 64;
    expect(far(dark!.shift.data, SHIFT.data)).toBeLessThan(0.2);
    expect(dark!.error).toBeLessThan(dark!.curve[0]!);
    expect(dark!.curve).toHaveLength(160);
  });

  it("keeps the size of its shifts", async () => {
    const sizes = (await search(false)).map(({ shift }) =>
      Math.sqrt(shift.data.reduce((sum, v) => sum + v * v, 0) / 64),
    );
    expect(sizes).toEqual([expect.closeTo(0.35), expect.closeTo(0.7), expect.closeTo(0.7)]);
  });
});
