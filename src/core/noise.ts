/**
 * @file Noise as a function of (seed, image, stream, step). Results then do not depend on batch size, thread count or
 * which worker ran them, and the same picture gets the same noise alone, in a folder or behind a gateway.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { OptionError } from "./errors.ts";
import { gaussianInto, uniformInto } from "./kernels.ts";
import type { NoiseSource } from "./run-context.ts";

/** 64 bits that name a picture: [low, high] words. */
export type ImageId = readonly [low: number, high: number];

/**
 * The id of a picture: the first 64 bits of SHA-256 over its dims (uint32 little-endian each) and its 8-bit pixels.
 * @param dims [C, H, W] of the picture as decoded. @param pixels its values, one byte each, in that order.
 */
export function imageId(dims: readonly number[], pixels: Uint8Array): ImageId {
  const header = new DataView(new ArrayBuffer(4 * dims.length));
  dims.forEach((dim, i) => {
    header.setUint32(4 * i, dim, true);
  });
  const digest = sha256.create().update(new Uint8Array(header.buffer)).update(pixels).digest();
  const view = new DataView(digest.buffer, digest.byteOffset);
  return [view.getUint32(0, true), view.getUint32(4, true)];
}

/**
 * Makes the noise source of a batch: Philox4x32-10 with key = seed and counter = (id low, id high, hash(stream) + step,
 * block), Box-Muller in float64, rounded to float32 once.
 * @param seed integer 0..2^53-1. @param ids id of each row of the batch.
 * @throws OptionError when the seed is not such an integer.
 */
export function createNoise(seed: number, ids: readonly ImageId[]): NoiseSource {
  const key = keyOf(seed);
  return (image, stream, step, size) => {
    const id = ids[image];
    if (id === undefined) throw new RangeError(`internal: noise for row ${image} of a batch of ${ids.length}`);
    const out = new Float32Array(size);
    gaussianInto(out, Uint32Array.of(id[0], id[1], hashStream(stream) + step, 0), key);
    return out;
  };
}

/** Uniform values in [0, 1) of the same generator, for masks and offsets; same arguments as a {@link NoiseSource}. */
export function uniformFromNoise(
  noise: NoiseSource,
  image: number,
  stream: string,
  step: number,
  size: number,
): Float64Array {
  // Two normals make one exact uniform: their angle is uniform, whatever their radius.
  const pairs = noise(image, stream, step, 2 * size);
  return Float64Array.from({ length: size }, (_, i) => {
    const turn = Math.atan2(pairs[2 * i + 1] ?? 0, pairs[2 * i] ?? 0) / (2 * Math.PI);
    return turn < 0 ? Math.min(turn + 1, 1 - 2 ** -53) : turn;
  });
}

/**
 * Uniform values in [0, 1) where no image is concerned (initial weights, orders, choices): a function of its arguments.
 * @param seed integer 0..2^53-1. @param stream what they are for. @param step number of the draw within the stream.
 * @throws OptionError when the seed is not such an integer.
 */
export function uniforms(seed: number, stream: string, step: number, size: number): Float64Array {
  const out = new Float64Array(size);
  uniformInto(out, Uint32Array.of(step, Math.floor(step / 2 ** 32), hashStream(stream), 0), keyOf(seed));
  return out;
}

/**
 * Rows in a random order. How two of them stand to each other depends on the seed and their numbers alone, not on which
 * others there are.
 * @param rows each below `items`. @throws OptionError as `uniforms`.
 */
export function drawnOrder(
  rows: Iterable<number>,
  { seed, stream, items }: { readonly seed: number; readonly stream: string; readonly items: number },
): number[] {
  const chances = uniforms(seed, stream, 0, items);
  return [...rows].sort((a, b) => (chances[a] ?? 0) - (chances[b] ?? 0) || a - b);
}

/** The key of the generator for a seed. @throws OptionError when it is none. */
function keyOf(seed: number): Uint32Array {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new OptionError(`seed: expected an integer from 0 to ${Number.MAX_SAFE_INTEGER}, got ${seed}.`);
  }
  return Uint32Array.of(seed % 2 ** 32, Math.floor(seed / 2 ** 32));
}

/** FNV-1a over the UTF-16 code units of a stream's name. */
function hashStream(stream: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < stream.length; i++) hash = Math.imul(hash ^ stream.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
