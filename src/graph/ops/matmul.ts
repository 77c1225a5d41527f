/** @file Gradients of matrix products. */
import { elementCount } from "../../tensor/shape.ts";
import { floatOf, intOf } from "../attributes.ts";
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import type { Operators, Site } from "./operator.ts";
import type { Writer } from "./writer.ts";

/** MatMul with any batch dims, Gemm with its scales and transposes. */
export const products = {
  MatMul: { vjp: matMul },
  Gemm: { vjp: gemm },
} satisfies Operators;

function matMul(site: Site, dy: ValueName): (ValueName | undefined)[] {
  const { w } = site;
  const [a, b] = [at(site.x, 0), at(site.x, 1)];
  const [aDims, bDims] = [site.dims(0), site.dims(1)];
  // A vector is a matrix with one row on the left, one column on the right.
  const left = aDims.length === 1 ? [1, ...aDims] : aDims;
  const right = bDims.length === 1 ? [...bDims, 1] : bDims;
  const batch = broadcastDims(left.slice(0, -2), right.slice(0, -2));
  const [m, k, n] = [at(left, -2), at(left, -1), at(right, -1)];
  const out = [...batch, m, n];
  const g = w.reshape(dy, out, site.outDims());
  const leftValue = w.reshape(a, left, aDims);
  const rightValue = w.reshape(b, right, bDims);
  if (right.length === 2) {
    // One matrix for all rows: one product each, the rows of all batches below each other.
    const rows = elementCount(left) / k;
    const flat = w.reshape(g, [rows, n], out);
    const flatLeft = w.reshape(leftValue, [rows, k], left);
    return [
      w.reshape(w.gemm(flat, rightValue, { transB: true }), aDims, [rows, k]),
      w.reshape(w.gemm(flatLeft, flat, { transA: true }), bDims, right),
    ];
  }
  const da = w.matmul(g, transposed(w, rightValue, right.length));
  const db = w.matmul(transposed(w, leftValue, left.length), g);
  return [
    w.reshape(w.unbroadcast(da, [...batch, m, k], left), aDims, left),
    w.reshape(w.unbroadcast(db, [...batch, k, n], right), bDims, right),
  ];
}

function gemm(site: Site, dy: ValueName): (ValueName | undefined)[] {
  const { w, node } = site;
  const [a, b] = [at(site.x, 0), at(site.x, 1)];
  const alpha = floatOf(node, "alpha", 1);
  const beta = floatOf(node, "beta", 1);
  const transA = intOf(node, "transA", 0) !== 0;
  const transB = intOf(node, "transB", 0) !== 0;
  const da = transA
    ? w.gemm(b, dy, { transA: transB, transB: true, alpha })
    : w.gemm(dy, b, { transB: !transB, alpha });
  const db = transB
    ? w.gemm(dy, a, { transA: true, transB: transA, alpha })
    : w.gemm(a, dy, { transA: !transA, alpha });
  if (!site.has(2) || !site.needs(2)) return [da, db];
  const scaled = beta === 1 ? dy : w.mul(dy, beta);
  return [da, db, w.unbroadcast(scaled, site.outDims(), site.dims(2))];
}

/** The last two axes exchanged. */
function transposed(w: Writer, a: ValueName, rank: number): ValueName {
  const axes = [...Array(rank).keys()];
  return w.transpose(a, [...axes.slice(0, -2), rank - 1, rank - 2]);
}

/** Dims of two shapes broadcast against each other. */
export function broadcastDims(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [x, y] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1];
    return x === 1 ? y : x;
  });
}
