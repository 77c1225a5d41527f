/**
 * @file TopoTrigger (TopoPrior): for each class a blob of colour that flips images, wherever it lies if asked, faint, small
 * and, by a topological cost, in one piece. Several rounds look for triggers that differ.
 *
 * | here     | authors' code                              |
 * |----------|--------------------------------------------|
 * | opacity  | alpha = sigmoid(30 a)                      |
 * | colour   | sigmoid(30 content)                        |
 */
import { z } from "zod";
import type { DifferentiableClassifier } from "../classifiers/differentiable.ts";
import { uniformFromNoise } from "../core/noise.ts";
import { winners } from "../metrics/accuracy.ts";
import { affineGrid } from "../tensor/filters/affine-grid.ts";
import { samplingPlan } from "../tensor/filters/grid-sample.ts";
import { readAlongInto, type SamplingPlan } from "../tensor/filters/kernels.ts";
import { rowsOf, takeRows } from "../tensor/rows.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import { normOf } from "../training/kernels.ts";
import { adam } from "../training/optimisers.ts";
import { type ClassSearch, classByClass } from "./class-by-class.ts";
import { defineInverter, type ReconstructedTrigger } from "./inverter.ts";
import { blendGradientInto, blendRowsInto, spreadAlongInto } from "./kernels.ts";
import { needGradients, rowsBeside } from "./needs.ts";
import type { Patch } from "./patch.ts";
import { type Found, stamp } from "./trigger.ts";
import { type MapSize, rootMean, scattered, spread } from "./trigger-shape.ts";

/** Steepness of the curve that makes free variables opacity and colour; of its area, with the offset. */
const STEEP = 30;
const AREA = { steep: 60, offset: 6 };
/** Weights of the costs: of energy, area and spread; of being like an earlier trigger. */
const WEIGHTS = { shape: 10, likeness: 2 };
/** Shares of the steps after which the costs of the shape grow in, and that of the pieces sets in: 10 and 60 of 91. */
const BEGIN = { shape: 10 / 91, pieces: 60 / 91 };
/** Side of the windows in which a trigger is to be in one piece. */
const WINDOW = 20;

const options = z.object({
  images: z
    .int()
    .min(1)
    .max(1000)
    .default(8)
    .describe("How many of the given images it learns from: the first that do not show the class."),
  steps: z.int().min(2).max(100_000).default(91).describe("Steps of a round."),
  rounds: z.int().min(1).max(10).default(2).describe("Searches for triggers that differ; the most successful counts."),
  rate: z.number().gt(0).max(10).default(0.03).describe("Learning rate of Adam (betas .5 and .7)."),
  pieces: z.number().min(0).max(1e4).default(1).describe("Weight of the topological cost, of being in several pieces."),
  turn: z
    .number()
    .min(0)
    .max(180)
    .default(0)
    .describe("Degrees by which the trigger is turned at most, each time anew."),
  shift: z.number().min(0).max(1).default(0).describe("Half sides of the image by which it is moved at most."),
  resize: z.number().min(0).max(0.9).default(0).describe("Share by which it grows or shrinks at most."),
});

/**
 * TopoTrigger as data.
 * @deviation the authors lower the score of the class that images show; here the cross-entropy to the target is lowered.
 */
export const topoTrigger = defineInverter({
  name: "topo-trigger",
  summary: "Finds a small blob of colour, in one piece by a topological cost, that moves images to each class.",
  source:
    'Hu et al. 2022, "Trigger Hunting with a Topological Prior for Trojan Detection", section 3, https://arxiv.org/abs/2110.08335; HuXiaoling/TopoTrigger, extract_fv_v17r.py and topoloss.py',
  options,
  presets: {
    official: [{ images: 5, steps: 91, rounds: 2, pieces: 100, turn: 30, shift: 0.3, resize: 0.2 }],
    recommended: [{ images: 8, steps: 91, rounds: 2, pieces: 1 }],
  },
  statistic: "success",
  needs: { prior: false },
  create: async (chosen, context) =>
    classByClass("topo-trigger", context, {
      steps: chosen.rounds * chosen.steps,
      search: (given) => search({ ...chosen, ...given }),
    }),
});

type SearchSettings = z.output<typeof options> & ClassSearch;

/** All rounds for one class; the trigger that flips most of its images, of equals the smaller one. */
async function search(settings: SearchSettings): Promise<Found> {
  const { target, request } = settings;
  const { context, run } = settings;
  const sources = rowsBeside(request, target).slice(0, settings.images);
  const images = takeRows(request.images, sources);
  const earlier: Float32Array[] = [];
  let best: { readonly found: Found; readonly hits: number; readonly size: number } | undefined;
  for (let round = 0; round < settings.rounds; round++) {
    const { trigger, painted, ...search } = await oneRound({ images, sources, target, round, earlier }, settings);
    earlier.push(painted);
    const { scores } = await context.classifier.classify(stamp(images, trigger), run.signal);
    const hits = winners(scores).filter((label) => label === target).length;
    const size = trigger.mask.data.reduce((sum, value) => sum + value, 0);
    if (best === undefined || hits > best.hits || (hits === best.hits && size < best.size)) {
      best = { found: { target, sources, trigger, ...search }, hits, size };
    }
  }
  if (best === undefined) throw new Error("internal: topo-trigger without a round");
  return best.found;
}

interface Round {
  readonly images: Float32Tensor;
  readonly sources: readonly number[];
  readonly target: number;
  readonly round: number;
  /** `colour * opacity` of earlier rounds' triggers. */
  readonly earlier: readonly Float32Array[];
}

async function oneRound(
  { images, sources, target, round, earlier }: Round,
  settings: SearchSettings,
): Promise<{
  readonly trigger: Extract<ReconstructedTrigger, { kind: "patch" }>;
  readonly painted: Float32Array;
  readonly losses: number[];
  readonly complete: boolean;
}> {
  const { run, steps, progress, rate } = settings;
  const classifier = needGradients("topo-trigger", settings.context);
  const [, c = 1, height = 1, width = 1] = images.dims;
  const plane = height * width;
  const start = uniformFromNoise(run.noise, sources[0] ?? 0, "invert/start", round, (c + 1) * plane);
  const variables = Float32Array.from(start, (u, i) => 0.02 * u - 0.01 - (i < plane ? 0.1 : 0));
  const optimiser = adam({ beta1: 0.5, beta2: 0.7 });
  const memory = Array.from({ length: optimiser.memories }, () => new Float32Array(variables.length));
  const size = { height, width };
  const moves = settings.turn > 0 || settings.shift > 0 || settings.resize > 0;
  const still = moves ? undefined : randomPlan(Float64Array.of(), size, settings);
  const losses: number[] = [];
  let step = 0;
  for (; step < steps && run.enough?.aborted !== true; step++) {
    run.signal?.throwIfAborted();
    const patch = patchAt(variables, plane);
    const plans = sources.map(
      (row) =>
        still ?? randomPlan(uniformFromNoise(run.noise, row, "invert/move", round * steps + step, 4), size, settings),
    );
    const answer = await movedAnswer(classifier, { images, patch, plans, target, signal: run.signal });
    const shape = shapeCost(variables, patch, { ...size, share: step / steps, weight: settings.pieces });
    const alike = likeness(patch, earlier);
    losses.push(answer.loss + shape.cost + alike.cost);
    const slopes = variables.map((_, i) => {
      const value = (i < plane ? patch.mask[i] : patch.pattern[i - plane]) ?? 0;
      const slope = (answer.gradient[i] ?? 0) + (alike.gradient[i] ?? 0) + (i < plane ? (shape.opacity[i] ?? 0) : 0);
      return slope * STEEP * value * (1 - value) + (i < plane ? (shape.variable[i] ?? 0) : 0);
    });
    optimiser.update(variables, slopes, memory, { rate, step });
    progress.add(1);
  }
  progress.add(steps - step);
  const patch = patchAt(variables, plane);
  return {
    losses,
    complete: step === steps,
    painted: paintedBy(patch),
    trigger: {
      kind: "patch",
      mask: float32([1, 1, height, width], patch.mask.slice()),
      pattern: float32([1, c, height, width], patch.pattern.slice()),
    },
  };
}

/** Opacity and colour that the variables stand for. */
function patchAt(variables: Float32Array, plane: number): Patch {
  const values = variables.map((value) => sigmoid(STEEP * value));
  return { mask: values.subarray(0, plane), pattern: values.subarray(plane) };
}

function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}

/** Turned, resized and moved by four uniform numbers, not at all where they are left out: where each pixel of the result is read. */
function randomPlan(
  [turn = 0.5, resize = 0.5, across = 0.5, down = 0.5]: Float64Array,
  { height, width }: MapSize,
  most: Pick<SearchSettings, "turn" | "resize" | "shift">,
): SamplingPlan {
  const angle = ((2 * turn - 1) * most.turn * Math.PI) / 180;
  const scale = 1 + (2 * resize - 1) * most.resize;
  const [cos, sin] = [Math.cos(angle) / scale, Math.sin(angle) / scale];
  const map = [cos, -sin, (2 * across - 1) * most.shift, sin, cos, (2 * down - 1) * most.shift];
  return samplingPlan(affineGrid(float32([1, 2, 3], map), [height, width]).data, [height, width]);
}

/** What {@link movedAnswer} looks at. */
export interface MovedPatch {
  /** [N, C, H, W] */
  readonly images: Float32Tensor;
  readonly patch: Patch;
  /** Of each image: where each pixel of the moved patch is read. */
  readonly plans: readonly SamplingPlan[];
  readonly target: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks about images with a patch that lies elsewhere on each.
 * @returns the mean cross-entropy to the target, and its derivative by mask [H * W], then pattern [C * H * W].
 */
export async function movedAnswer(
  classifier: DifferentiableClassifier,
  { images, patch, plans, target, signal }: MovedPatch,
): Promise<{ readonly loss: number; readonly gradient: Float64Array }> {
  const [n = 0, c = 1] = images.dims;
  const [plane, size] = [patch.mask.length, patch.pattern.length];
  const rows = float32(images.dims);
  const moved = plans.map((plan, i): Patch => {
    const own = { mask: new Float32Array(plane), pattern: new Float32Array(size) };
    readAlongInto(own.mask, patch.mask, plan, { planes: 1, pixels: plane, from: 0, to: 0 });
    readAlongInto(own.pattern, patch.pattern, plan, { planes: c, pixels: plane, from: 0, to: 0 });
    blendRowsInto(rowsOf(rows, i, i + 1).data, rowsOf(images, i, i + 1).data, own.mask, own.pattern);
    return own;
  });
  const { losses, gradient } = await classifier.lossGradient(rows, Array<number>(n).fill(target), signal);
  const sum = new Float64Array(plane + size);
  for (const [i, plan] of plans.entries()) {
    const own = { mask: new Float64Array(plane), pattern: new Float64Array(size) };
    const at = moved[i] ?? patch;
    blendGradientInto(own, rowsOf(gradient, i, i + 1).data, rowsOf(images, i, i + 1).data, at);
    spreadAlongInto(sum.subarray(0, plane), own.mask, plan);
    spreadAlongInto(sum.subarray(plane), own.pattern, plan);
  }
  return { loss: losses.data.reduce((total, loss) => total + loss, 0) / n, gradient: sum.map((slope) => slope / n) };
}

/** Costs of the opacity's shape at a share of the steps; derivatives by the opacity, and by the variable where that is shorter. */
function shapeCost(
  variables: Float32Array,
  { mask }: Patch,
  { height, width, share, weight: pieceWeight }: MapSize & { readonly share: number; readonly weight: number },
): { readonly cost: number; readonly opacity: Float64Array; readonly variable: Float64Array } {
  const weight = WEIGHTS.shape * Math.max(0, (share - BEGIN.shape) / (1 - BEGIN.shape));
  const covered = Float64Array.from(mask, (_, i) => sigmoid(AREA.steep * (variables[i] ?? 0) + AREA.offset));
  const [energy, area, blob] = [rootMean(mask), rootMean(covered), spread(mask, { height, width })];
  const pieces = share > BEGIN.pieces ? scattered(mask, { height, width }, WINDOW) : undefined;
  return {
    cost: weight * (energy.cost + area.cost + blob.cost) + pieceWeight * (pieces?.cost ?? 0),
    opacity: energy.gradient.map(
      (slope, i) => weight * (slope + (blob.gradient[i] ?? 0)) + pieceWeight * (pieces?.gradient[i] ?? 0),
    ),
    variable: area.gradient.map((slope, i) => {
      const value = covered[i] ?? 0;
      return weight * slope * AREA.steep * value * (1 - value);
    }),
  };
}

/** `colour * opacity` */
function paintedBy({ mask, pattern }: Patch): Float32Array {
  return pattern.map((value, i) => value * (mask[i % mask.length] ?? 0));
}

/** Cosines between what is painted and what earlier rounds painted; derivative by mask, then pattern. */
function likeness(
  patch: Patch,
  earlier: readonly Float32Array[],
): { readonly cost: number; readonly gradient: Float64Array } {
  const { mask, pattern } = patch;
  const painted = paintedBy(patch);
  const gradient = new Float64Array(mask.length + pattern.length);
  const own = normOf(painted);
  let cost = 0;
  for (const other of earlier) {
    const length = own * normOf(other);
    if (length === 0) continue;
    const cosine = painted.reduce((sum, value, i) => sum + value * (other[i] ?? 0), 0) / length;
    cost += WEIGHTS.likeness * cosine;
    for (const [i, value] of painted.entries()) {
      const slope = WEIGHTS.likeness * ((other[i] ?? 0) / length - (cosine * value) / (own * own));
      const pixel = i % mask.length;
      gradient[pixel] = (gradient[pixel] ?? 0) + slope * (pattern[i] ?? 0);
      gradient[mask.length + i] = (gradient[mask.length + i] ?? 0) + slope * (mask[pixel] ?? 0);
    }
  }
  return { cost, gradient };
}
