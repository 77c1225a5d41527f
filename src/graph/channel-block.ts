/** @file Tries whether an engine has the blocked convolutions of `ops/blocked-conv.ts`, and of how many channels. */
import { ToolkitError } from "../core/errors.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import { GraphBuilder } from "./builder.ts";
import { blockedConv } from "./ops/blocked-conv.ts";
import { convAttributes } from "./ops/conv-shapes.ts";
import { Writer } from "./ops/writer.ts";
import type { RunModel } from "./probe.ts";
import { graphToBytes } from "./to-model.ts";

/** AVX-512 and NEON; AVX. */
const BLOCKS = [16, 8] as const;

/**
 * The block of channels with which convolutions come out as they should on an engine; `undefined` where none does, as in
 * a browser. Two small runs at most.
 */
export async function channelBlock(run: RunModel): Promise<number | undefined> {
  for (const block of BLOCKS) if (await isRight(run, block)) return block;
  return undefined;
}

/** Whether 32 channels to 32, 3x3, over a map of 5x6 with different borders, come out as those of the plain operator. */
async function isRight(run: RunModel, block: number): Promise<boolean> {
  const b = new GraphBuilder();
  const w = new Writer(b, "float32");
  const windows = { kernel: [3, 3], strides: [1, 1], dilations: [1, 1], before: [1, 0], after: [0, 1] };
  const shapes = { weight: [32, 32, 3, 3], group: 1, windows };
  const x = b.input("x", "float32", [2, 32, 5, 6]);
  const weight = b.input("weight", "float32", shapes.weight);
  const bias = b.input("bias", "float32", [32]);
  b.output("plain", b.op("Conv", [x, weight, bias], convAttributes(windows, 1)), "float32");
  b.output("blocked", blockedConv(w, { x, weight, bias }, shapes, block), "float32");
  try {
    const feeds = { x: waves([2, 32, 5, 6], 0.7), weight: waves(shapes.weight, 1.3), bias: waves([32], 0.3) };
    const { plain, blocked } = await run(graphToBytes(b.build("blocks")), feeds);
    if (plain?.dtype !== "float32" || blocked?.dtype !== "float32") return false;
    const expected = plain.data;
    return blocked.data.every((value, i) => Math.abs(value - (expected[i] ?? Number.NaN)) < 1e-4);
  } catch (error) {
    if (error instanceof ToolkitError) return false;
    throw error;
  }
}

/** Values in -1..1 that repeat nowhere. */
function waves(dims: readonly number[], step: number): Float32Tensor {
  const size = dims.reduce((product, dim) => product * dim, 1);
  return float32(
    dims,
    Array.from({ length: size }, (_, i) => Math.sin(step * i * (1 + i / 1000))),
  );
}
