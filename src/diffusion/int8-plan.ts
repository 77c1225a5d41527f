/** @file A prior's plan with its convolutions in 8 bits. */
import type { ByteSource } from "../core/byte-source.ts";
import { graphFromModel } from "../graph/from-model.ts";
import type { Graph } from "../graph/ir.ts";
import { innerConvolutions } from "../graph/rewrite/convolutions.ts";
import { withExtremes } from "../graph/rewrite/extremes.ts";
import { quantizeConvolutions } from "../graph/rewrite/int8.ts";
import { graphToBytes } from "../graph/to-model.ts";
import { decodeModel } from "../onnx/codec.ts";
import { inlineExternalData } from "../onnx/external-data.ts";
import type { Session } from "../runtime/runtime.ts";
import { collectExtremes, type Extremes, measureRanges } from "./int8-calibration.ts";
import { encodeInt8Ranges, type Int8Ranges, parseInt8Ranges } from "./int8-ranges.ts";
import type { Prior } from "./prior.ts";
import { firstThere } from "./prior-files.ts";
import { hashOfPlan, type PriorPlan } from "./prior-plan.ts";

/** Where ranges are kept between runs: a cache, by the hash of the float32 prior. */
export interface Int8Store {
  /** The file; undefined when there is none. */
  read(hash: string): Promise<Uint8Array | undefined>;
  write(hash: string, file: Uint8Array): Promise<void>;
}

/** Where ranges lie in a prior's folder. */
export const int8File = "untrigger/int8.json";

/** What is needed to measure a prior. */
export interface Int8Host {
  readonly source: ByteSource;
  readonly store?: Int8Store | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Opens a plan. @param watch puts something before the session. */
  open(plan: PriorPlan, watch?: (session: Session) => Session): Promise<Prior>;
}

/**
 * Quantises the convolutions between the first and the last. Their ranges are those of the folder's `untrigger/int8.json`
 * or of the store where these belong to this prior, else they are measured and put into the store.
 * @throws FormatError when a file of ranges is damaged; UnsupportedOpError for models that cannot be rewritten.
 */
export async function planInt8(plan: PriorPlan, host: Int8Host): Promise<PriorPlan> {
  const graph = graphOf(plan);
  const hash = hashOfPlan(plan);
  const { ranges } = (await keptRanges(hash, host)) ?? (await measure(plan, graph, hash, host));
  return { ...plan, model: graphToBytes(quantizeConvolutions(graph, ranges)), externalData: undefined };
}

/** The graph of a plan, with its weights inside. */
export function graphOf({ model, externalData = {} }: PriorPlan): Graph {
  const proto = decodeModel(model);
  inlineExternalData(proto, externalData);
  return graphFromModel(proto);
}

async function keptRanges(hash: string, { source, store, signal }: Int8Host): Promise<Int8Ranges | undefined> {
  const beside = await firstThere(source, [int8File], signal);
  if (beside !== undefined) {
    const stated = parseInt8Ranges(beside.bytes, int8File);
    if (stated.prior === hash) return stated;
  }
  const cached = await store?.read(hash);
  if (cached === undefined) return undefined;
  try {
    const found = parseInt8Ranges(cached, "cached ranges");
    return found.prior === hash ? found : undefined;
  } catch {
    // A damaged cache is none.
    return undefined;
  }
}

async function measure(plan: PriorPlan, graph: Graph, hash: string, host: Int8Host): Promise<Int8Ranges> {
  const values = [...new Set(innerConvolutions(graph).flatMap(({ input, output }) => [input, output]))];
  const shown: PriorPlan = { ...plan, model: graphToBytes(withExtremes(graph, values)), externalData: undefined };
  const extremes: Extremes = new Map(values.map((value) => [value, []]));
  const prior = await host.open(plan);
  try {
    const watched = await host.open(shown, (session) => collectExtremes(session, extremes));
    try {
      const found = { prior: hash, ranges: await measureRanges(prior, watched, { extremes, signal: host.signal }) };
      await host.store?.write(hash, encodeInt8Ranges(found));
      return found;
    } finally {
      await watched.dispose();
    }
  } finally {
    await prior.dispose();
  }
}
