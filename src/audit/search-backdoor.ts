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
  /** [C, H, W] in model range. */
  readonly shift: Float32Tensor;
  /** [C, H, W] in [-1, 1]. */
  readonly target: Float32Tensor;
  /** Mean squared error of the target in model range, on noise that nothing was searched on. */
  readonly error: number;
  /** Error at every step. */
  readonly curve: readonly number[];
}

/**
 * Values that shifts start around. A shift keeps its size, the root of its mean square: the smaller it is, the less there is
 * to explain, and without this every search would end at no shift at all.
 */
const STARTS = [-0.35, -0.7, 0.7];
const RATE = 0.1;
/** How far the pixels of a start lie apart. */
const SPREAD = 0.3;
/** Runs on fresh noise behind an error that is reported. */
const TRIALS = 4;

/** Searches from every start. Images are tanh of free numbers; shifts are then brought to their size. */
export async function searchBackdoor(errors: BackdoorErrors, search: BackdoorSearch): Promise<FoundBackdoor[]> {
  const { iterations, progress } = search;
  const found: FoundBackdoor[] = [];
  for (const [i, start] of STARTS.entries()) {
    const report = (done: number): void => progress?.(i * iterations + done, STARTS.length * iterations);
    found.push(await searchFrom(errors, start, { ...search, stream: `start${i}`, report }));
  }
  return found;
}

async function searchFrom(
  errors: BackdoorErrors,
  start: number,
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
  const free = { shift: around(start, 0), target: around(-0.3, 1) };
  const supposed = () => ({
    shift: ofSize(free.shift.map(Math.tanh), Math.abs(start)),
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
    optimiser.update(free.shift, throughTanh(byShift, free.shift.map(Math.tanh)), memory.shift, at);
    report(step + 1);
  }
  const { shift, target } = supposed();
  let error = 0;
  for (let trial = 0; trial < TRIALS; trial++) {
    error += (await errors.measure({ shift, target }, drawn("trial", trial), signal)).error / TRIALS;
  }
  return { shift: float32([...errors.dims], shift), target: float32([...errors.dims], target), error, curve };
}

/** The same image with another root of its mean square. */
function ofSize(image: Float32Array, size: number): Float32Array {
  const own = Math.sqrt(image.reduce((sum, value) => sum + value * value, 0) / image.length);
  return image.map((value) => (value * size) / Math.max(own, 1e-6));
}

/** The gradient by free numbers of which the images are the tanh. */
function throughTanh(gradient: Float32Array, images: Float32Array): Float32Array {
  return gradient.map((value, i) => value * (1 - (images[i] ?? 0) ** 2));
}
