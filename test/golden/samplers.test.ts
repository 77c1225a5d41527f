/** @file All 35 recorded trajectories: diffusers' schedulers and OpenAI's loops with a closed-form net. */
import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { NoisePredictor } from "../../src/diffusion/predictor.ts";
import { adaptPrediction, type RawNet } from "../../src/diffusion/prediction-type.ts";
import { respace, spaceTimesteps } from "../../src/diffusion/respacing.ts";
import type { Clip } from "../../src/diffusion/samplers/clean-estimate.ts";
import { ddim } from "../../src/diffusion/samplers/ddim.ts";
import { ddpm, type Variance } from "../../src/diffusion/samplers/ddpm.ts";
import type { SolverAlgorithm } from "../../src/diffusion/samplers/dpm-solver.ts";
import { dpmSolverMultistep } from "../../src/diffusion/samplers/dpm-solver-multistep.ts";
import { dpmSolverSinglestep } from "../../src/diffusion/samplers/dpm-solver-singlestep.ts";
import { jumpsOver, spacedIndices, type TimestepSpacing } from "../../src/diffusion/samplers/grids.ts";
import type { SampleRun } from "../../src/diffusion/samplers/sampling.ts";
import {
  indexGrid,
  indicesAbove,
  karrasGrid,
  type SolverGrid,
  solverIndices,
} from "../../src/diffusion/samplers/solver-grids.ts";
import type { NoiseSchedule } from "../../src/diffusion/schedule.ts";
import { scheduleFromConfig } from "../../src/diffusion/scheduler-config.ts";
import { cosineBetas, makeSchedule, openAiLinearBetas, rescaleTimesteps } from "../../src/diffusion/schedules.ts";
import { arrayOf, type RealTensor } from "../../src/tensor/tensor.ts";
import { type GoldenFile, readGolden, readGoldenJson } from "../support/golden.ts";

interface Case {
  readonly sampler: "ddpm" | "ddim" | "dpmsolver-multistep" | "dpmsolver-singlestep" | "openai";
  readonly loop?: "p_sample_loop" | "ddim_sample_loop";
  readonly config: Config;
  readonly step_args?: { readonly eta?: number; readonly use_clipped_model_output?: boolean };
  readonly loop_args?: { readonly clip_denoised: boolean; readonly eta?: number };
  readonly num_inference_steps?: number;
  readonly timesteps_arg?: readonly number[];
  readonly predictor: Readonly<Record<"c" | "w" | "a" | "f" | "vc" | "vw" | "vf", number>>;
  readonly learned_variance: boolean;
  readonly shape: readonly number[];
  readonly timesteps: readonly number[];
  readonly noises_per_step: readonly number[];
}

interface Config {
  readonly clip_sample?: boolean;
  readonly clip_sample_range?: number;
  readonly thresholding?: boolean;
  readonly dynamic_thresholding_ratio?: number;
  readonly sample_max_value?: number;
  readonly steps_offset?: number;
  readonly timestep_spacing?: TimestepSpacing;
  readonly set_alpha_to_one?: boolean;
  readonly solver_order?: 1 | 2 | 3;
  readonly algorithm_type?: SolverAlgorithm;
  readonly solver_type?: "midpoint" | "heun";
  readonly final_sigmas_type?: "zero" | "sigma_min";
  readonly lower_order_final?: boolean;
  readonly lambda_min_clipped?: number;
  readonly use_karras_sigmas?: boolean;
  // OpenAI
  readonly noise_schedule: "linear" | "cosine";
  readonly steps: number;
  readonly timestep_respacing: string;
  readonly model_mean_type: "epsilon" | "start_x";
  readonly model_var_type: "learned_range" | "fixed_large" | "fixed_small";
  readonly rescale_timesteps: boolean;
}

type Sample = (x: RealTensor, run: SampleRun, spy: (net: RawNet) => RawNet) => Promise<RealTensor>;

/** out(x, t) = c tanh(w x + a sin(f t)), followed by vc sin(vw x + vf t) for learned variances. */
function closedFormNet({ predictor, learned_variance }: Case): RawNet {
  const { c, w, a, f, vc, vw, vf } = predictor;
  return async (x, t) => {
    const [n = 0, channels = 0, ...size] = x.dims;
    const perRow = x.data.length / n;
    const rows = Array.from({ length: n }, (_, row) => {
      const values = Array.from(x.data.subarray(row * perRow, (row + 1) * perRow));
      const out = values.map((value) => c * Math.tanh(w * value + a * Math.sin(f * t[row]!)));
      return learned_variance ? [...out, ...values.map((value) => vc * Math.sin(vw * value + vf * t[row]!))] : out;
    });
    const dims = [n, learned_variance ? 2 * channels : channels, ...size];
    return { dtype: x.dtype, dims, data: new arrayOf[x.dtype](rows.flat()) } as RealTensor;
  };
}

function clipOf(config: Config, byDefault: boolean): Clip | undefined {
  if (config.thresholding) {
    return { ratio: config.dynamic_thresholding_ratio ?? 0.995, max: config.sample_max_value ?? 1 };
  }
  return (config.clip_sample ?? byDefault) ? (config.clip_sample_range ?? 1) : undefined;
}

function diffusersSampler(spec: Case): Sample {
  const { config } = spec;
  const { schedule, predictionType, variance } = scheduleFromConfig(config);
  const total = schedule.betas.length;
  const indices =
    spec.timesteps_arg ??
    spacedIndices(total, spec.num_inference_steps!, config.timestep_spacing ?? "leading", config.steps_offset);
  return (x, run, spy) => {
    const predict = adaptPrediction(predictionType, schedule, spy(closedFormNet(spec)));
    const clip = clipOf(config, true);
    if (spec.sampler === "ddpm")
      return ddpm(predict, x, schedule, { jumps: jumpsOver(indices), variance, clip, ...run });
    // DDIM steps back by floor(T / n), whatever the list says; below 0 lies the clean image, or index 0 if asked.
    const stride = Math.floor(total / indices.length);
    const end = config.set_alpha_to_one === false ? 0 : -1;
    const jumps = indices.map((from) => ({ from, to: from - stride < 0 ? end : from - stride }));
    const noiseAfterClip = spec.step_args?.use_clipped_model_output ? "rederive" : "keep";
    return ddim(predict, x, schedule, { jumps, eta: spec.step_args?.eta, clip, noiseAfterClip, ...run });
  };
}

function solverGrid(spec: Case, schedule: NoiseSchedule): SolverGrid {
  const { config } = spec;
  const steps = spec.num_inference_steps!;
  const trained = schedule.betas.length;
  if (config.use_karras_sigmas) return karrasGrid(schedule, { start: trained - 1, steps });
  const total = indicesAbove(schedule, config.lambda_min_clipped ?? Number.NEGATIVE_INFINITY);
  const indices = solverIndices(total, steps, {
    spacing: config.timestep_spacing ?? "linspace",
    offset: config.steps_offset ?? 0,
    trained,
  });
  return indexGrid(schedule, indices, config.final_sigmas_type === "sigma_min" ? "index-0" : "zero");
}

function solverSampler(spec: Case): Sample {
  const { config } = spec;
  const { schedule, predictionType } = scheduleFromConfig(config);
  const grid = solverGrid(spec, schedule);
  return (x, run, spy) => {
    const predict = adaptPrediction(predictionType, schedule, spy(closedFormNet(spec)));
    const options = {
      grid,
      algorithm: config.algorithm_type,
      order: config.solver_order,
      form: config.solver_type,
      clip: clipOf(config, false),
      lowerOrderFinal: config.lower_order_final,
      ...run,
    };
    return spec.sampler === "dpmsolver-multistep"
      ? dpmSolverMultistep(predict, x, { ...options, diffusersSignSlip: true })
      : dpmSolverSinglestep(predict, x, options);
  };
}

function openAiSampler(spec: Case): Sample {
  const { config } = spec;
  const betas = config.noise_schedule === "cosine" ? cosineBetas(config.steps) : openAiLinearBetas(config.steps);
  const trained = config.rescale_timesteps ? rescaleTimesteps(makeSchedule(betas)) : makeSchedule(betas);
  const schedule = respace(trained, spaceTimesteps(config.steps, config.timestep_respacing));
  const jumps = jumpsOver(Array.from(schedule.betas, (_, i) => i).reverse());
  const clip = spec.loop_args!.clip_denoised ? 1 : undefined;
  const type = config.model_mean_type === "start_x" ? "sample" : "epsilon";
  return (x, run, spy) => {
    const predict: NoisePredictor = adaptPrediction(type, schedule, spy(closedFormNet(spec)));
    return spec.loop === "p_sample_loop"
      ? ddpm(predict, x, schedule, {
          jumps,
          variance: config.model_var_type.replace("_", "-") as Variance,
          clip,
          ...run,
        })
      : ddim(predict, x, schedule, { jumps, eta: spec.loop_args!.eta, clip, ...run });
  };
}

function samplerOf(spec: Case): Sample {
  if (spec.sampler === "openai") return openAiSampler(spec);
  return spec.sampler.startsWith("dpmsolver") ? solverSampler(spec) : diffusersSampler(spec);
}

/** Runs a case with its recorded noise in one dtype. */
async function runCase(spec: Case, golden: GoldenFile, dtype: "float32" | "float64") {
  const read = (name: string) => ({ dtype, dims: spec.shape, data: golden[dtype](name) }) as RealTensor;
  // Noise is recorded in the order drawn; a step that draws none has none.
  const draws = spec.noises_per_step.map((_, step) => spec.noises_per_step.slice(0, step).reduce((a, b) => a + b, 0));
  const noise = (step: number) => read(`noise.${String(draws[step]).padStart(3, "0")}`);
  const shown: number[] = [];
  const steps: RealTensor[] = [];
  const spy =
    (net: RawNet): RawNet =>
    (x, t) => {
      shown.push(t[0]!);
      return net(x, t);
    };
  const final = await samplerOf(spec)(read("x_T"), { noise, onStep: (_, x) => steps.push(x) }, spy);
  return { final, shown, steps };
}

const largest = (values: ArrayLike<number>) => Array.from(values).reduce((most, v) => Math.max(most, Math.abs(v)), 0);

const cases = readdirSync(new URL("samplers/", import.meta.url))
  .filter((file) => file.endsWith(".json"))
  .map((file) => file.slice(0, -5));

describe("golden samplers", () => {
  it("has all 35 cases", () => {
    expect(cases).toHaveLength(35);
  });

  it.each(cases)("%s", async (name) => {
    const spec = readGoldenJson<Case>(`samplers/${name}.json`);
    const golden = readGolden(`samplers/${name}.safetensors`);

    const { shown, steps } = await runCase(spec, golden, "float64");
    expect(shown).toEqual(spec.timesteps);
    expect(steps).toHaveLength(spec.timesteps.length);
    steps.forEach((x, k) => {
      const expected = golden.float64(`x.${String(k).padStart(3, "0")}`);
      expect(x.data).toBeAllclose(expected, { atol: 1e-9 * largest(expected) });
    });
    if (golden.tensors.has("sigmas")) {
      const { ratios } = solverGrid(spec, scheduleFromConfig(spec.config).schedule);
      expect(ratios).toBeAllclose(golden.float64("sigmas"), { rtol: 1e-10 });
    }

    const { final } = await runCase(spec, golden, "float32");
    const expected = golden.float64("final");
    expect(final.dtype).toBe("float32");
    expect(final.data).toBeAllclose(expected, { atol: 1e-4 * largest(expected) });
  });
});
