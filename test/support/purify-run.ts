/** @file What tests of single purifiers share: a run, images, a method opened with raw options. */
import { parseOptions } from "../../src/core/descriptor.ts";
import { createNoise } from "../../src/core/noise.ts";
import type { RunContext } from "../../src/core/run-context.ts";
import type { Purifier, PurifierContext, PurifierDescriptor } from "../../src/purify/purifier.ts";
import { elementCount } from "../../src/tensor/shape.ts";
import { type Float32Tensor, float32 } from "../../src/tensor/tensor.ts";

/** A run for so many rows; row i is image i. */
export function testRun(rows: number, seed = 1): RunContext {
  const ids = Array.from({ length: rows }, (_, i) => [i, 3] as const);
  return { noise: createNoise(seed, ids) };
}

/** Images in [0, 1] of a fixed pattern without repetition in sight. */
export function testImages(dims: readonly number[]): Float32Tensor {
  const data = Float32Array.from({ length: elementCount(dims) }, (_, i) => ((i * 7919) % 256) / 255);
  return float32(dims, data);
}

/** A method with options as a user gives them. */
export function openWith(
  descriptor: PurifierDescriptor,
  raw: Record<string, unknown>,
  context: PurifierContext = {},
): Promise<Purifier> {
  return descriptor.create(parseOptions(descriptor, raw), context);
}
