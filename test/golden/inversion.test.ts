/** @file Trigger inversion against the authors' code and BackdoorBench's: see `defences/README.md`. */
import { afterAll, describe, expect, it } from "vitest";
import type { DifferentiableClassifier } from "../../src/classifiers/differentiable.ts";
import { openWhiteBox } from "../../src/classifiers/white-box.ts";
import { indexForSigma01, linearBetas, makeSchedule } from "../../src/diffusion/schedules.ts";
import { startDescent } from "../../src/invert/descent.ts";
import { startCost } from "../../src/invert/cost-schedule.ts";
import { maskNorm, type Patch, patchAnswer, patchOf, variableGradient } from "../../src/invert/patch.ts";
import { smoothedAnswers } from "../../src/invert/smoothed.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { adam } from "../../src/training/optimisers.ts";
import { type GoldenFile, readGolden, readGoldenBytes } from "../support/golden.ts";

const runtime = await createNodeRuntime({ threads: 1 });
const opened: DifferentiableClassifier[] = [];
afterAll(async () => {
  for (const classifier of opened) await classifier.dispose();
});

/** The golden classifier, which takes images as they are. */
async function tiny() {
  const files = { model: readGoldenBytes("defences/tiny.onnx") };
  const classifier = await openWhiteBox(files, runtime, { mean: 0, std: 1, output: "logits", scores: "logits", threads: 1 });
  opened.push(classifier);
  return classifier;
}

function open<Parameters>(name: string): { file: GoldenFile; cases: [string, Parameters][] } {
  const file = readGolden(`defences/${name}.safetensors`);
  const cases = JSON.parse(file.metadata.get("cases")!) as Record<string, Parameters>;
  return { file, cases: Object.entries(cases) };
}

describe("smoothinv", () => {
  interface Case {
    readonly max_norm: number;
    readonly step_size: number;
    readonly sigma: number;
    readonly N: number;
    readonly target: number;
    readonly momentum: number;
    readonly loss: readonly number[];
    readonly delta_norms: readonly number[];
  }
  const { file, cases } = open<Case>("smoothinv");

  it("timestep", () => {
    const schedule = makeSchedule(linearBetas(1000));
    const rows = file.float64("timestep.rows");
    for (let i = 0; i < rows.length; i += 2) expect(indexForSigma01(schedule, rows[i]!)).toBe(rows[i + 1]);
  });

  it.each(cases.filter(([name]) => name !== "timestep"))("%s", async (name, parameters) => {
    const { max_norm, step_size, sigma, N, target, momentum } = parameters;
    const classifier = await tiny();
    const size = 3072;
    const image = file.float32(`${name}.x`);
    const descent = startDescent(size, { eps: max_norm, rate: step_size, momentum, steps: 400 });
    const part = (tensor: string, step: number, length: number) =>
      file.float32(`${name}.${tensor}`).subarray(step * length, (step + 1) * length);
    for (const step of [0, 1, 2]) {
      const pixels = image.map((value, i) => value + descent.change[i]!);
      const noise = part("noise", step, N * size);
      const settings = { dims: [3, 32, 32], sigma, kind: "logits" } as const;
      const [answer] = await smoothedAnswers(classifier, [{ pixels, target, noise }], settings);
      const { probabilities, loss, gradient } = answer!;
      expect(probabilities).toBeAllclose(part("probabilities", step, 10), { atol: 1e-5 });
      expect(loss).toBeCloseTo(parameters.loss[step]!, 5);
      const expected = part("gradient", step, size);
      expect(gradient).toBeAllclose(expected, { atol: 1e-5 * Math.hypot(...expected) });
      descent.step(gradient, { step, image });
      expect(descent.change).toBeAllclose(part("delta", step, size), { atol: 1e-4 });
      expect(Math.hypot(...descent.change)).toBeCloseTo(parameters.delta_norms[step]!, 4);
    }
  });
});

describe("neural cleanse", () => {
  interface Case {
    readonly target: number;
    readonly cost: number;
    readonly norm: 1 | 2;
    readonly mean: number[];
    readonly std: number[];
    readonly adam: { readonly lr: number; readonly betas: readonly [number, number] };
    readonly ce_reg_total_per_step: readonly (readonly [number, number, number])[];
    readonly init_cost: number;
    readonly multiplier: number;
    readonly patience: number;
    readonly threshold: number;
    readonly early_stop_threshold: number;
    readonly early_stop_patience: number;
  }
  const { file, cases } = open<Case>("neural_cleanse");
  const isSchedule = ([name]: readonly [string, Case]) => name.startsWith("scheduler");
  const PLANE = 1024;

  it.each(cases.filter((entry) => !isSchedule(entry)))("%s", async (name, parameters) => {
    const { target, cost, norm, mean, std } = parameters;
    const classifier = await tiny();
    const images = float32([4, 3, 32, 32], file.float32("shared.x"));
    // Images are normalised, and so is the pattern: by channel, or as the peer does it, rows 0 to 2 with the statistics of
    // channels 0 to 2 and no others.
    const statistic = (i: number): number => {
      const [channel, row] = [Math.floor(i / PLANE), Math.floor((i % PLANE) / 32)];
      return name === "peer" ? row : channel;
    };
    const seen = (pattern: Float32Array): Float32Array =>
      pattern.map((value, i) => (value - (mean[statistic(i)] ?? 0)) / (std[statistic(i)] ?? 1));
    const unseen = (slopes: Float32Array): Float32Array => slopes.map((slope, i) => slope / (std[statistic(i)] ?? 1));

    const variables = Float32Array.from([...file.float32(`${name}.mask_tanh`), ...file.float32(`${name}.pattern_tanh`)]);
    const optimiser = adam({ beta1: parameters.adam.betas[0], beta2: parameters.adam.betas[1] });
    const memory = Array.from({ length: optimiser.memories }, () => new Float32Array(variables.length));
    for (const step of [0, 1]) {
      const patch = patchOf(variables, PLANE);
      const shown: Patch = { mask: patch.mask, pattern: seen(patch.pattern) };
      const { scores, loss, gradient } = await patchAnswer(classifier, images, shown, { target });
      const size = maskNorm(patch.mask, norm);
      const [entropy, regular, total] = parameters.ce_reg_total_per_step[step]!;
      expect([loss, loss + cost * size.norm]).toBeAllclose([entropy, total], { atol: 2e-5 });
      expect(size.norm).toBeCloseTo(regular, 2);
      const mask = gradient.mask.map((slope, i) => slope + cost * size.gradient[i]!);
      const slopes = variableGradient({ mask, pattern: unseen(gradient.pattern) }, variables);
      if (step === 0) {
        expect(scores.data).toBeAllclose(file.float32(`${name}.logits`), { atol: 2e-5 });
        expect(slopes.subarray(0, PLANE)).toBeAllclose(file.float32(`${name}.grad_mask_tanh`), { atol: 1e-6 });
        expect(slopes.subarray(PLANE)).toBeAllclose(file.float32(`${name}.grad_pattern_tanh`), { atol: 1e-6 });
        for (const part of ["mask", "pattern"] as const) {
          if (!file.tensors.has(`${name}.${part}`)) continue;
          expect(patch[part]).toBeAllclose(file.float32(`${name}.${part}`), { atol: 1e-6 });
        }
      }
      optimiser.update(variables, slopes, memory, { rate: parameters.adam.lr, step });
    }
    // Adam divides gradients by their own size: where one is as small as its tolerance, so is what is known of the step.
    const after = file.float32(`${name}.mask_tanh_after2`);
    const slopes = file.float32(`${name}.grad_mask_tanh`);
    const clear = [...after.keys()].filter((i) => Math.abs(slopes[i]!) > 1e-5);
    expect(clear.length).toBeGreaterThan(1000);
    expect(clear.map((i) => variables[i]!)).toBeAllclose(clear.map((i) => after[i]!), { atol: 2e-5 });
    expect(variables.subarray(0, PLANE)).toBeAllclose(after, { atol: 1e-4 });
    if (!file.tensors.has(`${name}.pattern_tanh_after2`)) return;
    expect(variables.subarray(PLANE)).toBeAllclose(file.float32(`${name}.pattern_tanh_after2`), { atol: 2e-5 });
  });

  it.each(cases.filter(isSchedule))("%s", (name, parameters) => {
    const { init_cost, multiplier, patience, threshold, early_stop_patience, early_stop_threshold } = parameters;
    const schedule = startCost({
      start: init_cost,
      cost: init_cost,
      factor: multiplier,
      patience,
      threshold: threshold / 100,
      stopPatience: early_stop_patience,
      stopShare: early_stop_threshold,
    });
    const rows = file.float64(`${name}.rows`);
    for (let i = 0; i < rows.length; i += 8) {
      const [accuracy = 0, size = 0, cost, up, down, idle, best = 0, stopped] = rows.subarray(i, i + 8);
      // The peer keeps sizes as float32.
      schedule.note(accuracy / 100, Math.fround(size));
      expect(schedule.cost).toBeCloseTo(cost!, 6);
      expect([schedule.risen, schedule.fallen, schedule.idle]).toEqual([up === 1, down === 1, idle]);
      expect(schedule.best).toBeCloseTo(best, 4);
      expect(schedule.stopped).toBe(stopped === 1);
    }
  });
});
