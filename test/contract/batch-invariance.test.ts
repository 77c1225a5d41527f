/**
 * @file A picture's numbers do not depend on which others share its batch, nor on threads: purified files are then the
 * same bytes at any batch size. The engine promises nothing of the kind; these are the forms that networks here are made
 * of, and each was found to keep it. What does not is a `MatMul` or `Gemm` whose right operand is computed at run time
 * while the left one has a single row: one row goes through another kernel (differences of 1e-7 to 6e-6). So weights
 * must be initializers, or computed from initializers alone (the engine folds those when it loads).
 */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { float, GraphBuilder, int, ints, string } from "../../src/graph/builder.ts";
import { graphToBytes } from "../../src/graph/to-model.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import { createWebRuntime } from "../../src/runtime/web.ts";
import { rowsOf } from "../../src/tensor/rows.ts";
import { type Float32Tensor, float32 } from "../../src/tensor/tensor.ts";

const ROWS = 16;

type Write = (b: GraphBuilder, x: string, w: (...dims: readonly number[]) => string) => string;

const attention: Write = (b, x, w) => {
  const heads = (): string =>
    b.op("Transpose", [b.op("Reshape", [b.op("MatMul", [x, w(32, 32)]), b.ints(0, 49, 4, 8)])], {
      perm: ints(0, 2, 1, 3),
    });
  const keys = b.op("Transpose", [heads()], { perm: ints(0, 1, 3, 2) });
  const scores = b.op("Softmax", [b.op("MatMul", [heads(), keys])], { axis: int(-1) });
  const mixed = b.op("Transpose", [b.op("MatMul", [scores, heads()])], { perm: ints(0, 2, 1, 3) });
  return b.op("MatMul", [b.op("Reshape", [mixed, b.ints(0, 49, 32)]), w(32, 32)]);
};

const groupNorm: Write = (b, x, w) => {
  const grouped = b.op("Reshape", [x, b.ints(0, 4, -1)]);
  const norm = b.op("InstanceNormalization", [grouped, b.float(1, 1, 1, 1), b.float(0, 0, 0, 0)], {
    epsilon: float(1e-5),
  });
  return b.op("Mul", [b.op("Reshape", [norm, b.ints(0, 24, 14, 14)]), w(24, 1, 1)]);
};

const conv =
  (stride: number, kernel: number): Write =>
  (b, x, w) =>
    b.op("Conv", [x, w(24, 24, kernel, kernel)], {
      strides: ints(stride, stride),
      pads: ints(...Array(4).fill(kernel >> 1)),
    });

const forms: readonly (readonly [name: string, dims: readonly number[], write: Write])[] = [
  ["Conv 3x3", [24, 14, 14], conv(1, 3)],
  ["Conv 3x3, stride 2", [24, 14, 14], conv(2, 3)],
  ["Conv 1x1", [24, 14, 14], conv(1, 1)],
  ["Conv 1x1 on one pixel", [24, 1, 1], conv(1, 1)],
  ["GroupNorm as InstanceNormalization", [24, 14, 14], groupNorm],
  ["MatMul of N * 49 rows", [49, 32], (b, x, w) => b.op("MatMul", [x, w(32, 96)])],
  ["attention with four heads", [49, 32], attention],
  ["Gemm of one row for each picture", [96], (b, x, w) => b.op("Gemm", [x, w(384, 96), w(384)], { transB: int(1) })],
  ["MatMul of one row for each picture", [96], (b, x, w) => b.op("MatMul", [x, w(96, 384)])],
  ["MatMul with a weight folded at load", [96], (b, x, w) => b.op("MatMul", [x, b.op("Mul", [w(96, 384), w(96, 1)])])],
  ["SiLU", [24, 14, 14], (b, x) => b.op("Mul", [x, b.op("Sigmoid", [x])])],
  ["sinusoids of time", [1], (b, x, w) => b.op("Sin", [b.op("Mul", [x, w(1, 48)])])],
  [
    "Resize to twice the size",
    [24, 7, 7],
    (b, x) => b.op("Resize", [x, "", b.float(1, 1, 2, 2)], { mode: string("nearest") }),
  ],
  ["AveragePool", [24, 14, 14], (b, x) => b.op("AveragePool", [x], { kernel_shape: ints(2, 2), strides: ints(2, 2) })],
  ["Concat", [24, 7, 7], (b, x) => b.op("Concat", [x, b.op("Neg", [x])], { axis: int(1) })],
];

/** Values without pattern, of about unit size: the fractional parts of a chaotic sine. */
function values(dims: readonly number[], seed: number): Float32Tensor {
  const length = dims.reduce((product, dim) => product * dim, 1);
  return float32(
    dims,
    Float32Array.from({ length }, (_, i) => 2 * ((Math.sin(i * 12.9898 + seed) * 43758.5453) % 1)),
  );
}

function formBytes(dims: readonly number[], write: Write): Uint8Array {
  const b = new GraphBuilder();
  const x = b.input("x", "float32", ["N", ...dims]);
  let seed = 0;
  const weight = (...weightDims: readonly number[]): string => {
    seed += 1;
    return b.weight(`w${seed}`, values(weightDims, seed));
  };
  b.output("y", write(b, x, weight), "float32");
  return graphToBytes(b.build("form"));
}

const runtimes: readonly Runtime[] = [await createNodeRuntime(), await createWebRuntime({ threads: 1 })];

test.each(forms)("%s", async (_, dims, write) => {
  const bytes = formBytes(dims, write);
  const x = values([ROWS, ...dims], 99);
  for (const runtime of runtimes) {
    let expected: string | undefined;
    for (const threads of [1, 2]) {
      const session = await runtime.load(bytes, { threads });
      for (const batch of [ROWS, 1, 3, 5]) {
        const pieces: Uint8Array[] = [];
        for (let from = 0; from < ROWS; from += batch) {
          const { y } = await session.run({ x: rowsOf(x, from, Math.min(from + batch, ROWS)) });
          pieces.push(new Uint8Array(y!.data.buffer));
        }
        const actual = createHash("sha256").update(Buffer.concat(pieces)).digest("hex");
        expected ??= actual;
        expect(actual, `${runtime.name}, ${threads} threads, batches of ${batch}`).toBe(expected);
      }
      await session.dispose();
    }
  }
});
