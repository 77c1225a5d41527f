/**
 * @file Foreign nets adapt to the one meaning of a diffusion model here, once: whether their output is the noise, the
 * clean image or the velocity, and whether a learned variance follows it.
 *
 * | here           | Salimans and Ho | meaning                                                |
 * |----------------|-----------------|--------------------------------------------------------|
 * | sqrt(alphaBar) | alpha_t         | share of the clean image x in z_t (our x)               |
 * | v              | v               | sqrt(alphaBar) noise - sqrt(1 - alphaBar) x0            |
 * @source Salimans and Ho 2022, "Progressive Distillation for Fast Sampling of Diffusion Models", section 4 and appendix D. https://arxiv.org/abs/2202.00512
 */
import { ShapeError } from "../core/errors.ts";
import { formatDims } from "../tensor/shape.ts";
import { arrayOf, type RealTensor } from "../tensor/tensor.ts";
import { channelsInto, combineRowsInto, interpolate } from "./kernels.ts";
import type { NoisePredictor, Prediction } from "./predictor.ts";
import type { NoiseSchedule } from "./schedule.ts";
import type { PredictionType } from "./scheduler-config.ts";
import { finiteAlphaBar } from "./schedules.ts";

/** A net as its graph is: x [N, C, H, W] and t [N] in, [N, C, H, W] or (with a learned variance) [N, 2C, H, W] out. */
export type RawNet = (x: RealTensor, t: Float64Array, signal?: AbortSignal) => Promise<RealTensor>;

/**
 * A net as a {@link NoisePredictor}.
 * @param schedule the one the net was trained with: its timesteps say which alpha bar a timestep stands for.
 * @throws ShapeError (on use) when the net returns neither C nor 2C channels of x's size.
 */
export function adaptPrediction(type: PredictionType, schedule: NoiseSchedule, net: RawNet): NoisePredictor {
  const alphaBarAt = alphaBarCurve(schedule);
  return async (x, t, signal) => {
    const { output, variance } = splitVariance(x, await net(x, t, signal));
    const learned = variance === undefined ? {} : { variance };
    if (type === "epsilon") return { noise: output, ...learned };
    const alphasBar = t.map(alphaBarAt);
    return { ...(type === "sample" ? fromX0(x, output, alphasBar) : fromVelocity(x, output, alphasBar)), ...learned };
  };
}

/**
 * Alpha bar as a function of what the net is shown; between two timesteps its logarithm is interpolated.
 * @source Lu et al. 2022, "DPM-Solver", appendix D.4 (discrete-time models as continuous ones). https://arxiv.org/abs/2206.00927
 */
export function alphaBarCurve({ alphasBar, timesteps }: NoiseSchedule): (timestep: number) => number {
  const logs = alphasBar.map((alphaBar) => Math.log(finiteAlphaBar(alphaBar)));
  return (timestep) => alphasBar[timesteps.indexOf(timestep)] ?? Math.exp(interpolate(timestep, timesteps, logs));
}

function fromX0(x: RealTensor, x0: RealTensor, alphasBar: Float64Array): Prediction {
  const deviations = alphasBar.map((alphaBar) => Math.sqrt(1 - alphaBar));
  const noise = combineRows(
    x,
    deviations.map((deviation) => 1 / deviation),
    x0,
    deviations.map((deviation, row) => -Math.sqrt(alphasBar[row] ?? 0) / deviation),
  );
  return { noise, x0 };
}

function fromVelocity(x: RealTensor, v: RealTensor, alphasBar: Float64Array): Prediction {
  const alphas = alphasBar.map(Math.sqrt);
  const sigmas = alphasBar.map((alphaBar) => Math.sqrt(1 - alphaBar));
  return {
    noise: combineRows(x, sigmas, v, alphas),
    x0: combineRows(
      x,
      alphas,
      v,
      sigmas.map((sigma) => -sigma),
    ),
  };
}

/** `a[n] x[n] + b[n] y[n]` for every row n. */
function combineRows(x: RealTensor, a: Float64Array, y: RealTensor, b: Float64Array): RealTensor {
  const data = new arrayOf[x.dtype](x.data.length);
  combineRowsInto(data, { a, x: x.data, b, y: y.data });
  return { dtype: x.dtype, dims: x.dims, data } as RealTensor;
}

function splitVariance(x: RealTensor, raw: RealTensor): { output: RealTensor; variance?: RealTensor } {
  const [n, c = 0, ...size] = x.dims;
  const [rows, channels, ...rawSize] = raw.dims;
  const sameSize = rows === n && rawSize.length === size.length && rawSize.every((dim, i) => dim === size[i]);
  if (!sameSize || (channels !== c && channels !== 2 * c)) {
    throw new ShapeError(
      `net: expected ${formatDims(x.dims)} or ${2 * c} channels of it for input ${formatDims(x.dims)}, got ${formatDims(raw.dims)}.`,
    );
  }
  if (channels === c) return { output: raw };
  return { output: halfOf(raw, x, 0), variance: halfOf(raw, x, 1) };
}

/** The first or second C channels of every row. */
function halfOf(raw: RealTensor, like: RealTensor, half: 0 | 1): RealTensor {
  const data = new arrayOf[raw.dtype](like.data.length);
  channelsInto(data, raw.data, like.dims[0] ?? 0, half);
  return { dtype: raw.dtype, dims: like.dims, data } as RealTensor;
}
