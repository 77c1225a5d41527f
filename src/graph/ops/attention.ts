/**
 * @file The gradient of Attention. Where it is wanted, the operator is written out so that its weights P are at hand:
 * S = scale Q K' + mask, P = softmax(S), Y = P V. Queries of all heads that share a key head lie below each other, so
 * that grouped queries need no copies of keys.
 * @source Vaswani et al. 2017, "Attention Is All You Need", equation 1; ONNX operator specification, Attention-23.
 */
import { floatOf, intOf } from "../attributes.ts";
import { int } from "../builder.ts";
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import type { Operators, Site } from "./operator.ts";

/** Scaled dot-product attention without a cache of past keys. */
export const attention = {
  Attention: {
    forward: (site) => {
      const { w } = site;
      const shape = readShape(site);
      const { b, keyHeads, shared, queries, keys } = shape;
      const [q, k, v] = [heads(site, 0, shape), heads(site, 1, shape), heads(site, 2, shape)];
      const raw = w.mul(w.matmul(q, w.transpose(k, [0, 1, 3, 2])), shape.scale);
      const all = w.reshape(raw, [b, keyHeads * shared, queries, keys]);
      const masked = maskOf(site, shape).reduce((scores, mask) => w.add(scores, mask), all);
      const weights = w.reshape(w.op("Softmax", [masked], { axis: int(-1) }), [b, keyHeads, shared * queries, keys]);
      return { outputs: [joined(site, w.matmul(weights, v), { input: 0, shape })], saved: [weights] };
    },
    vjp: (site, dy) => {
      const { w, saved } = site;
      const shape = readShape(site);
      const weights = at(saved, 0);
      const [q, k, v] = [heads(site, 0, shape), heads(site, 1, shape), heads(site, 2, shape)];
      const g = splitHeads(site, dy, { from: site.outDims(), count: shape.keyHeads * shape.shared, shape });
      const dWeights = w.matmul(g, w.transpose(v, [0, 1, 3, 2]));
      const weighted = w.mul(dWeights, weights);
      const dScores = w.sub(weighted, w.mul(weights, w.sum(weighted, [3], true)));
      const scaled = w.mul(dScores, shape.scale);
      const dq = w.matmul(scaled, k);
      const dk = w.matmul(w.transpose(scaled, [0, 1, 3, 2]), q);
      const dv = w.matmul(w.transpose(weights, [0, 1, 3, 2]), g);
      const full = [shape.b, shape.keyHeads * shape.shared, shape.queries, shape.keys];
      const dMask = site.needs(3) ? w.unbroadcast(w.reshape(dScores, full), full, site.dims(3)) : undefined;
      return [
        joined(site, dq, { input: 0, shape }),
        joined(site, dk, { input: 1, shape }),
        joined(site, dv, { input: 2, shape }),
        dMask,
      ];
    },
  },
} satisfies Operators;

/** Sizes of an attention: `shared` query heads look at each of `keyHeads`. */
interface Shape {
  readonly b: number;
  readonly keyHeads: number;
  readonly shared: number;
  readonly queries: number;
  readonly keys: number;
  readonly scale: number;
  /** Whether inputs are [B, S, heads D] and not [B, heads, S, D]. */
  readonly flat: boolean;
}

function readShape(site: Site): Shape {
  const { node, dims } = site;
  if (floatOf(node, "softcap", 0) !== 0) throw site.refuse("scores without softcap, got one");
  if (site.has(4) || site.has(5) || site.has(6)) throw site.refuse("attention without a cache, got past keys");
  if (site.node.outputs.slice(1).some((output) => output !== "")) throw site.refuse("one output, got more");
  const flat = dims(0).length === 3;
  const [queryHeads, keyHeads] = flat
    ? [intOf(node, "q_num_heads", 1), intOf(node, "kv_num_heads", 1)]
    : [at(dims(0), 1), at(dims(1), 1)];
  const depth = flat ? at(dims(0), 2) / queryHeads : at(dims(0), 3);
  return {
    b: at(dims(0), 0),
    keyHeads,
    shared: queryHeads / keyHeads,
    queries: at(dims(0), flat ? 1 : 2),
    keys: at(dims(1), flat ? 1 : 2),
    scale: floatOf(node, "scale", 1 / Math.sqrt(depth)),
    flat,
  };
}

/** An input as [B, key heads, rows, D]; rows are those of all heads that share a key head. */
function heads(site: Site, input: number, shape: Shape): ValueName {
  const count = input === 0 ? shape.keyHeads * shape.shared : shape.keyHeads;
  return splitHeads(site, at(site.x, input), { from: site.dims(input), count, shape });
}

function splitHeads(
  { w }: Site,
  value: ValueName,
  { from, count, shape }: { from: readonly number[]; count: number; shape: Shape },
): ValueName {
  const { b, keyHeads, flat } = shape;
  const rows = at(from, flat ? 1 : 2);
  const depth = flat ? at(from, 2) / count : at(from, 3);
  const split = flat ? w.transpose(w.reshape(value, [b, rows, count, depth]), [0, 2, 1, 3]) : value;
  return w.reshape(split, [b, keyHeads, (count / keyHeads) * rows, depth], [b, count, rows, depth]);
}

/** Back to the form of an input (of the output, for the queries' form with the values' depth). */
function joined(site: Site, value: ValueName, { input, shape }: { input: number; shape: Shape }): ValueName {
  const { w } = site;
  const { b, keyHeads, shared, flat } = shape;
  const count = input === 0 ? keyHeads * shared : keyHeads;
  const rows = input === 0 ? shape.queries : shape.keys;
  if (!flat) return w.reshape(value, [b, count, rows, -1]);
  const split = w.reshape(value, [b, count, rows, -1]);
  return w.reshape(w.transpose(split, [0, 2, 1, 3]), [b, rows, -1]);
}

/** What is added to the scores: the mask, and minus infinity above the diagonal where attention looks back only. */
function maskOf(site: Site, { queries, keys }: Shape): ValueName[] {
  const { w, node, x } = site;
  const masks: ValueName[] = [];
  if (site.has(3)) {
    const isBool = site.dtype(3) === "bool";
    masks.push(isBool ? w.where(at(x, 3), 0, Number.NEGATIVE_INFINITY) : at(x, 3));
  }
  if (intOf(node, "is_causal", 0) === 1) {
    const future = Array.from({ length: queries * keys }, (_, i) =>
      i % keys > Math.floor(i / keys) ? Number.NEGATIVE_INFINITY : 0,
    );
    masks.push(w.tensor([queries, keys], future));
  }
  return masks;
}
