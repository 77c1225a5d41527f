/** @file Every recorded schedule, respacing and posterior, at 1e-10 relative. */
import { describe, expect, it } from "vitest";
import { posteriorOf } from "../../src/diffusion/posterior.ts";
import { respace, spaceTimesteps } from "../../src/diffusion/respacing.ts";
import type { NoiseSchedule } from "../../src/diffusion/schedule.ts";
import { scheduleFromConfig } from "../../src/diffusion/scheduler-config.ts";
import { cosineBetas, finiteAlphaBar, makeSchedule, openAiLinearBetas } from "../../src/diffusion/schedules.ts";
import { toNumbers } from "../../src/tensor/tensor.ts";
import { readGolden } from "../support/golden.ts";

const golden = readGolden("schedules/schedules.safetensors");
const names = [...golden.tensors.keys()].filter((key) => key.endsWith(".betas")).map((key) => key.slice(0, -6));
const tolerance = { rtol: 1e-10 };

const fromConfig = (config: object): NoiseSchedule => scheduleFromConfig(config).schedule;
const latent = { beta_schedule: "scaled_linear", beta_start: 0.00085, beta_end: 0.012 };
const zeroSnr = { rescale_betas_zero_snr: true, prediction_type: "v_prediction" };

const diffusers: Record<string, () => NoiseSchedule> = {
  linear_1000: () => fromConfig({}),
  scaled_linear_1000: () => fromConfig(latent),
  squaredcos_cap_v2_1000: () => fromConfig({ beta_schedule: "squaredcos_cap_v2" }),
  squaredcos_cap_v2_50: () => fromConfig({ beta_schedule: "squaredcos_cap_v2", num_train_timesteps: 50 }),
  sigmoid_1000: () => fromConfig({ beta_schedule: "sigmoid" }),
  linear_100: () => fromConfig({ num_train_timesteps: 100 }),
  trained_betas_60: () =>
    fromConfig({ num_train_timesteps: 60, trained_betas: [...golden.float64("trained_betas_60.trained_betas")] }),
  linear_zero_snr_1000: () => fromConfig(zeroSnr),
  scaled_linear_zero_snr_1000: () => fromConfig({ ...latent, ...zeroSnr }),
};

const openAi = (kind: string, steps: number): NoiseSchedule =>
  makeSchedule(kind === "cosine" ? cosineBetas(steps) : openAiLinearBetas(steps));

/** The schedule that a name of the golden file stands for. */
function scheduleNamed(name: string): NoiseSchedule {
  const known = diffusers[name];
  if (known !== undefined) return known();
  const [, family, kind, steps, spec] = /^(openai|respaced)_(linear|cosine)_(\d+)(?:_(.+))?$/.exec(name) ?? [];
  if (kind === undefined) throw new Error(`no schedule is known for golden case "${name}"`);
  const full = openAi(kind, Number(steps));
  return family === "openai" ? full : respace(full, spaceTimesteps(Number(steps), spec!.replaceAll("-", ",")));
}

describe("golden schedules", () => {
  it("has all 24 of them", () => {
    expect(names).toHaveLength(24);
  });

  it.each(names.filter((name) => !name.startsWith("dpmsolver")))("%s", (name) => {
    const { betas, alphasBar, timesteps } = scheduleNamed(name);
    expect(betas).toBeAllclose(golden.float64(`${name}.betas`), tolerance);
    expect(alphasBar).toBeAllclose(golden.float64(`${name}.alphas_cumprod`), tolerance);
    if (name.startsWith("respaced")) {
      expect([...timesteps]).toEqual(toNumbers(golden.tensor(`${name}.use_timesteps`)));
    }
  });

  it("dpmsolver_linear_zero_snr_1000: the last alpha bar is 2^-24 in place of 0", () => {
    const { alphasBar } = scheduleNamed("linear_zero_snr_1000");
    expect(alphasBar.at(-1)).toBe(0);
    expect(alphasBar.map(finiteAlphaBar)).toBeAllclose(
      golden.float64("dpmsolver_linear_zero_snr_1000.alphas_cumprod"),
      tolerance,
    );
  });

  it.each(["linear", "cosine"])("openai_%s_1000: posterior", (kind) => {
    const schedule = openAi(kind, 1000);
    const posteriors = Array.from({ length: 1000 }, (_, from) => posteriorOf(schedule, { from, to: from - 1 }));
    const name = `openai_${kind}_1000`;
    const variances = posteriors.map(({ variance }) => variance);
    expect(variances).toBeAllclose(golden.float64(`${name}.posterior_variance`), tolerance);
    // OpenAI replaces the first entry by the second before the logarithm; neither is ever used, for no noise is added at 0.
    const logs = [variances[1]!, ...variances.slice(1)].map(Math.log);
    expect(logs).toBeAllclose(golden.float64(`${name}.posterior_log_variance_clipped`), tolerance);
    expect(posteriors.map(({ weightX0 }) => weightX0)).toBeAllclose(
      golden.float64(`${name}.posterior_mean_coef1`),
      tolerance,
    );
    expect(posteriors.map(({ weightX }) => weightX)).toBeAllclose(
      golden.float64(`${name}.posterior_mean_coef2`),
      tolerance,
    );
  });
});
