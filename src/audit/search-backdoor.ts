/** @file Looks for a shift of the noise, and a target, that a prior denoises as a backdoored one would. */
import { createNoise, uniforms } from "../core/noise.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import { adam } from "../training/optimisers.ts";
import type { BackdoorErrors } from "./backdoor-error.ts";

/** How a search goes. */
export interface BackdoorSearch {
  /** Steps of Adam from each start. */
  readonly iterations: number;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  progress?(done: number, total: number): void;
}

/** What a search has found. */
export interface FoundBackdoor {
  /** [C, H, W] in [-1, 1], as triggers are. */
  readonly shift: Float32Tensor;
  /** [C, H, W] in [-1, 1]. */
  readonly target: Float32Tensor;
  /** Mean squared error of the target in model range, on noise that nothing was searched on. */
  readonly error: number;
  /** Error at every step. */
  readonly curve: readonly number[];
}

/** What all searches together have found. */
export interface FoundBackdoors {
  /** One from every start. */
  readonly found: readonly FoundBackdoor[];
  /** Error of the best target without any shift: what a net knows without a backdoor. */
  readonly cleanError: number;
}

/** Values that shifts start around: a trigger on a dark ground, as most data sets have it, on a grey and on a bright one. */
const STARTS = [-0.7, 0, 0.7];
const RATE = 0.1;
/** How far the pixels of a start lie apart. */
const SPREAD = 0.3;
/** Runs on fresh noise behind an error that is reported. */
const TRIALS = 4;

/** Searches from every start, and once with the shift held at nothing. Images are tanh of free numbers. */
export async function searchBackdoor(errors: BackdoorErrors, search: BackdoorSearch): Promise<FoundBackdoors> {
  const { iterations, progress } = search;
  const starts = [undefined, ...STARTS];
  const all: FoundBackdoor[] = [];
  for (const [i, start] of starts.entries()) {
    const report = (done: number): void => progress?.(i * iterations + done, starts.length * iterations);
    all.push(await searchFrom(errors, start, { ...search, stream: `start${i}`, report }));
  }
  const [clean, ...found] = all;
  return { found, cleanError: clean?.error ?? Number.NaN };
}

/** @param start what the shift starts around; `undefined` holds it at zero. */
async function searchFrom(
  errors: BackdoorErrors,
  start: number | undefined,
  {
    iterations,
    seed,
    signal,
    stream,
    report,
  }: BackdoorSearch & { readonly stream: string; report(done: number): void },
): Promise<FoundBackdoor> {
  const size = errors.dims.reduce((product, dim) => product * dim, 1);
  const around = (value: number, draw: number): Float32Array =>
    Float32Array.from(uniforms(seed, stream, draw, size), (u) => Math.atanh(value) + SPREAD * (2 * u - 1));
  const free = { shift: around(start ?? 0, 0), target: around(-0.3, 1) };
  const supposed = () => ({
    shift: start === undefined ? new Float32Array(size) : free.shift.map(Math.tanh),
    target: free.target.map(Math.tanh),
  });
  const optimiser = adam();
  const memories = () => Array.from({ length: optimiser.memories }, () => new Float32Array(size));
  const memory = { shift: memories(), target: memories() };
  const drawn = (of: string, step: number): Float32Array =>
    createNoise(seed, [[0, 0]])(0, of, step, errors.rows * size);
  const curve: number[] = [];
  for (let step = 0; step < iterations; step++) {
    const images = supposed();
    const { error, byShift, byTarget } = await errors.measure(images, drawn(stream, step), signal);
    curve.push(error);
    const at = { rate: RATE * Math.cos((0.5 * Math.PI * step) / iterations), step };
    optimiser.update(free.target, throughTanh(byTarget, images.target), memory.target, at);
    if (start !== undefined) optimiser.update(free.shift, throughTanh(byShift, images.shift), memory.shift, at);
    report(step + 1);
  }
  const { shift, target } = supposed();
  let error = 0;
  for (let trial = 0; trial < TRIALS; trial++) {
    error += (await errors.measure({ shift, target }, drawn("trial", trial), signal)).error / TRIALS;
  }
  return { shift: float32([...errors.dims], shift), target: float32([...errors.dims], target), error, curve };
}

/** The gradient by free numbers of which the images are the tanh. */
function throughTanh(gradient: Float32Array, images: Float32Array): Float32Array {
  return gradient.map((value, i) => value * (1 - (images[i] ?? 0) ** 2));
}
