/**
 * @file What numbers the activations of a prior hold, measured without a data set: the prior makes a few images itself,
 * and is then shown them at noise levels over its whole schedule. On the shipped prior such images give the same ranges,
 * within the error of rounding itself, as images from the data that it was trained on.
 */
import { createNoise, type ImageId } from "../core/noise.ts";
import { extremesOf } from "../graph/rewrite/extremes.ts";
import type { Range, Ranges } from "../graph/rewrite/int8.ts";
import type { Session } from "../runtime/runtime.ts";
import { float32, type RealTensor, type Tensor } from "../tensor/tensor.ts";
import { combineRowsInto } from "./kernels.ts";
import { noiseLike } from "./noise.ts";
import type { Prior } from "./prior.ts";
import { ddim } from "./samplers/ddim.ts";
import { jumpsOver, linGrid } from "./samplers/grids.ts";
import { alphaBarAt, timestepAt } from "./schedules.ts";

/** Images that are made: as many as hold so many pixels, within bounds. */
const [PIXELS, LEAST, MOST] = [50_176, 4, 64];
/** Network calls for each image that is made. */
const STEPS = 10;
/** Noise levels that each image is shown at. */
const LEVELS = 3;
/** Share of images whose extremes may be cut off at either end: one odd pixel must not make all levels coarser. */
const TRIMMED = 0.02;
/** Ranges are rounded to so many digits: those of two machines are then alike. */
const DIGITS = 4;

/** Extremes of every image so far, by name of the value. */
export type Extremes = ReadonlyMap<string, Range[]>;

/** A session of a graph made by `withExtremes`: what is added to its answers is collected. */
export function collectExtremes(session: Session, extremes: Extremes): Session {
  const run: Session["run"] = async (feeds, signal) => {
    const answer = await session.run(feeds, signal);
    for (const [value, rows] of extremes) {
      const { min, max } = extremesOf(value);
      const highs = numbersOf(answer[max]);
      numbersOf(answer[min]).forEach((low, row) => {
        rows.push({ min: low, max: highs[row] ?? low });
      });
    }
    return answer;
  };
  return { ...session, run, dispose: () => session.dispose() };
}

function numbersOf(tensor: Tensor | undefined): number[] {
  return tensor?.dtype === "float32" ? [...tensor.data] : [];
}

/**
 * Ranges of the values that `watched` collects. Always the same for the same prior.
 * @param watched the same prior, filling `extremes`. @throws what the prior throws.
 */
export async function measureRanges(
  prior: Prior,
  watched: Prior,
  { extremes, signal }: { readonly extremes: Extremes; readonly signal?: AbortSignal | undefined },
): Promise<Ranges> {
  const images = await makeImages(prior, signal);
  const { x, t } = atAllLevels(prior, images);
  await watched.predict(x, t, signal);
  return new Map([...extremes].map(([value, all]) => [value, trimmed(all)]));
}

/** Samples of the prior, from noise in a few steps. */
async function makeImages({ predict, schedule, dims }: Prior, signal: AbortSignal | undefined): Promise<RealTensor> {
  const { channels, height, width } = dims;
  const count = Math.min(MOST, Math.max(LEAST, Math.round(PIXELS / (height * width))));
  const noise = noiseOf(count);
  const start = noiseLike({ noise }, "int8/start", float32([count, channels, height, width]))(0);
  const last = schedule.alphasBar.length - 1;
  const jumps = jumpsOver(linGrid(last, Math.min(STEPS, last + 1)));
  return ddim(predict, start, schedule, { jumps, clip: 1, signal });
}

/** Every image at several noise levels, which all together are spread evenly over the schedule. */
function atAllLevels({ schedule }: Prior, images: RealTensor): { x: RealTensor; t: Float64Array } {
  const [count = 0, ...rest] = images.dims;
  const rows = count * LEVELS;
  const total = schedule.alphasBar.length;
  const indices = Array.from({ length: rows }, (_, row) => Math.floor(((row + 0.5) * total) / rows));
  const clean = float32([rows, ...rest]);
  for (let level = 0; level < LEVELS; level++) clean.data.set(images.data, level * images.data.length);
  const noise = noiseLike({ noise: noiseOf(rows) }, "int8/levels", clean)(0);
  const alphasBar = Float64Array.from(indices, (index) => alphaBarAt(schedule, index));
  const x = float32(clean.dims);
  combineRowsInto(x.data, {
    a: alphasBar.map(Math.sqrt),
    x: clean.data,
    b: alphasBar.map((a) => Math.sqrt(1 - a)),
    y: noise.data,
  });
  return { x, t: Float64Array.from(indices, (index) => timestepAt(schedule, index)) };
}

function noiseOf(rows: number): ReturnType<typeof createNoise> {
  return createNoise(
    0,
    Array.from({ length: rows }, (_, row): ImageId => [row, 0]),
  );
}

/** The range that holds all images but those with the widest extremes. */
function trimmed(all: readonly Range[]): Range {
  const cut = Math.floor(TRIMMED * all.length);
  const lows = all.map(({ min }) => min).sort((a, b) => a - b);
  const highs = all.map(({ max }) => max).sort((a, b) => b - a);
  return { min: shortened(lows[cut]), max: shortened(highs[cut]) };
}

function shortened(value = 0): number {
  return Number(value.toPrecision(DIGITS));
}
