/** @file Runs a net on batches of any size: in chunks, at the net's own types, checked on the way in and out. */
import { OptionError, RuntimeFailure, ShapeError } from "../core/errors.ts";
import { firstNonFinite } from "../nn/checkpoints/kernels.ts";
import type { Feeds, Session } from "../runtime/runtime.ts";
import { concatRows, rowsOf } from "../tensor/rows.ts";
import { formatDims, sameDims } from "../tensor/shape.ts";
import { type Float32Tensor, float32, type RealTensor, type Tensor } from "../tensor/tensor.ts";
import { fillRowsInto } from "./kernels.ts";
import type { RawNet } from "./prediction-type.ts";
import type { ImageSize } from "./unet/unet-graph.ts";

/** Element types that timesteps may have. */
export const timestepTypes = ["float32", "float64", "int64", "int32"] as const;

/** What a net's inputs and output are called and look like. */
export interface NetSignature {
  readonly size: ImageSize;
  /** Channels of its answer; undefined where the model leaves them open. */
  readonly outChannels: number | undefined;
  readonly sample: string;
  readonly output: string;
  readonly timestep: {
    readonly name: string;
    readonly dtype: (typeof timestepTypes)[number];
    /** Dims where one timestep serves the whole batch: [] or [1]; undefined where each image has its own. */
    readonly shared: readonly number[] | undefined;
  };
  /** The only batch size that the net takes; undefined for any. */
  readonly batch: number | undefined;
  /** Timesteps must be whole numbers below this; undefined for any number. */
  readonly tableRows: number | undefined;
  /** What else the net is fed, for so many images. */
  extra(rows: number): Feeds;
}

/** Pixels of one run: around so many is fastest on a CPU, where activations then stay in the cache. */
const PIXELS_PER_RUN = 16_384;

/**
 * A session as a net over batches of any size. Rows do not influence each other, so results do not depend on chunks.
 * float64 images are rounded to float32 for the net, its answer is widened again.
 * @param most images of one run at most; as many as are fastest when left out.
 */
export function runnerOf(session: Session, signature: NetSignature, most?: number): RawNet {
  const { size } = signature;
  const limit = most ?? Math.max(1, Math.floor(PIXELS_PER_RUN / (size.height * size.width)));
  return async (x, t, signal) => {
    checkInputs(x, t, signature);
    const images = x.dtype === "float32" ? x : float32(x.dims, Float32Array.from(x.data));
    const parts: Float32Tensor[] = [];
    for (const [from, to] of chunks(t, limit, signature)) {
      const feeds = feedsFor(rowsOf(images, from, to), t.subarray(from, to), signature);
      const { [signature.output]: out } = await session.run(feeds, signal);
      parts.push(checkOutput(out, to - from, t.subarray(from, to)));
    }
    const out = parts.length === 0 ? images : concatRows(parts);
    return x.dtype === "float32" ? out : { dtype: "float64", dims: out.dims, data: Float64Array.from(out.data) };
  };
}

/** Even shares of at most `limit` rows; where a run has one timestep, cut wherever it changes. */
function chunks(t: Float64Array, limit: number, { batch, timestep }: NetSignature): [from: number, to: number][] {
  const most = batch ?? limit;
  const pieces: [number, number][] = [];
  let start = 0;
  while (start < t.length) {
    let end = t.length;
    if (timestep.shared !== undefined) {
      const change = t.findIndex((value, row) => row > start && value !== t[start]);
      if (change !== -1) end = change;
    }
    const runs = Math.ceil((end - start) / most);
    const share = batch ?? Math.ceil((end - start) / runs);
    for (let from = start; from < end; from += share) pieces.push([from, Math.min(from + share, end)]);
    start = end;
  }
  return pieces;
}

/** A net of fixed batch size is given the first image again in the places that are left. */
function feedsFor(images: Float32Tensor, t: Float64Array, signature: NetSignature): Feeds {
  const { sample, timestep, batch } = signature;
  const rows = batch ?? t.length;
  let [filled, times] = [images, t];
  if (rows !== t.length) {
    filled = float32([rows, ...images.dims.slice(1)]);
    times = new Float64Array(rows);
    fillRowsInto(filled.data, images.data, rows);
    fillRowsInto(times, t, rows);
  }
  const shown = timestep.shared === undefined ? times : times.subarray(0, 1);
  const timesteps = timestepTensor(timestep.dtype, timestep.shared ?? [rows], shown);
  return { [sample]: filled, [timestep.name]: timesteps, ...signature.extra(rows) };
}

/** Timesteps at the type that a net takes. */
export function timestepTensor(
  dtype: NetSignature["timestep"]["dtype"],
  dims: readonly number[],
  values: Float64Array,
): Tensor {
  switch (dtype) {
    case "float32":
      return { dtype, dims, data: Float32Array.from(values) };
    case "float64":
      return { dtype, dims, data: values };
    case "int32":
      return { dtype, dims, data: Int32Array.from(values) };
    case "int64":
      return { dtype, dims, data: BigInt64Array.from(values, BigInt) };
  }
}

function checkInputs(x: RealTensor, t: Float64Array, { size, timestep, tableRows }: NetSignature): void {
  const { channels, height, width } = size;
  if (x.dims.length !== 4 || !sameDims(x.dims.slice(1), [channels, height, width])) {
    throw new ShapeError(
      `prior: expected images ${formatDims(["N", channels, height, width])}, got ${formatDims(x.dims)}.`,
    );
  }
  if (t.length !== x.dims[0]) {
    throw new ShapeError(`prior: expected a timestep for each of ${x.dims[0]} images, got ${t.length}.`);
  }
  const whole = tableRows !== undefined || timestep.dtype.startsWith("int");
  const last = (tableRows ?? Number.MAX_SAFE_INTEGER) - 1;
  for (const value of t) {
    if (whole ? Number.isInteger(value) && value >= 0 && value <= last : Number.isFinite(value)) continue;
    const expected = whole ? `whole timesteps from 0 to ${last}` : "finite timesteps";
    throw new OptionError(`prior: expected ${expected}, got ${value}.`);
  }
}

function checkOutput(out: Tensor | undefined, rows: number, t: Float64Array): Float32Tensor {
  if (out?.dtype !== "float32" || out.dims.length !== 4) {
    const got = out === undefined ? "none" : `${out.dtype} ${formatDims(out.dims)}`;
    throw new RuntimeFailure(`prior: expected a float32 output of 4 axes, got ${got}.`);
  }
  const kept = out.dims[0] === rows ? out : rowsOf(out, 0, rows);
  const bad = firstNonFinite(kept.data);
  if (bad === -1) return kept;
  const row = Math.floor((bad * rows) / kept.data.length);
  throw new RuntimeFailure(
    `prior: expected finite predictions, got ${kept.data[bad]} for image ${row} at timestep ${t[row]}.`,
  );
}
