import { describe, expect, it } from "vitest";
import { FormatError } from "../core/errors.ts";
import { scheduleFromConfig } from "./scheduler-config.ts";

describe("scheduleFromConfig", () => {
  it("fills in diffusers' defaults and ignores keys that it does not know", () => {
    const { schedule, predictionType, variance } = scheduleFromConfig({
      _diffusers_version: "0.39",
      clip_sample: true,
    });
    expect(schedule.betas).toHaveLength(1000);
    expect([schedule.betas[0], schedule.betas[999]]).toEqual([1e-4, 0.02]);
    expect([predictionType, variance]).toEqual(["epsilon", "fixed-small"]);
  });

  it.each([
    ["fixed_small", "fixed-small"],
    ["fixed_small_log", "fixed-small"],
    ["fixed_large", "fixed-large"],
    ["fixed_large_log", "fixed-large"],
    ["learned_range", "learned-range"],
    [null, "fixed-small"],
  ])("reads variance_type %s", (type, variance) => {
    expect(scheduleFromConfig({ variance_type: type }).variance).toBe(variance);
  });

  it("takes T from trained betas", () => {
    expect([...scheduleFromConfig({ trained_betas: [0.1, 0.3] }).schedule.betas]).toEqual([0.1, 0.3]);
  });

  it.each([
    [null, "expected object"],
    [[1], "expected object"],
    [{ num_train_timesteps: 0 }, '"num_train_timesteps"'],
    [{ num_train_timesteps: 1e9 }, '"num_train_timesteps"'],
    [{ num_train_timesteps: "1000" }, '"num_train_timesteps"'],
    [{ beta_start: -1 }, '"beta_start"'],
    [{ beta_end: 2 }, '"beta_end"'],
    [{ beta_schedule: "exponential" }, '"beta_schedule"'],
    [{ trained_betas: [] }, '"trained_betas"'],
    [{ trained_betas: [0.1, "x"] }, '"trained_betas.1"'],
    [{ prediction_type: "flow_prediction" }, '"prediction_type"'],
    [{ variance_type: "learned" }, '"variance_type"'],
    [{ beta_start: 0.02, beta_end: 0.01 }, 'expected "beta_end" to be at least "beta_start", got 0.01 and 0.02.'],
    [{ num_train_timesteps: 3, trained_betas: [0.1] }, 'expected 3 "trained_betas"'],
    [{ rescale_betas_zero_snr: true }, 'expected "prediction_type" v_prediction or sample'],
    [
      { rescale_betas_zero_snr: true, prediction_type: "sample", num_train_timesteps: 1 },
      'expected at least 2 steps with "rescale_betas_zero_snr", got 1.',
    ],
    [{ _class_name: "ScoreSdeVeScheduler" }, 'got "ScoreSdeVeScheduler"'],
    [{ _class_name: "FlowMatchEulerDiscreteScheduler" }, 'got "FlowMatchEulerDiscreteScheduler"'],
  ])("refuses %j", (config, words) => {
    const read = () => scheduleFromConfig(config, "prior/scheduler_config.json");
    expect(read).toThrow(FormatError);
    expect(read).toThrow(/^prior\/scheduler_config\.json: /);
    expect(read).toThrow(words);
  });
});
