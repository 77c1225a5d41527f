/** @file Gradients of anybody's ONNX model: a session that computes a loss and what it depends on, in one run. */
import { OptionError } from "../core/errors.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import { differentiate } from "../graph/differentiate.ts";
import { graphFromModel } from "../graph/from-model.ts";
import type { Graph, GraphValue, ValueName } from "../graph/ir.ts";
import type { InputDims, RunModel } from "../graph/probe.ts";
import { extend } from "../graph/rewrite/extend.ts";
import { specialise } from "../graph/rewrite/specialise.ts";
import { graphToBytes } from "../graph/to-model.ts";
import { decodeModel } from "../onnx/codec.ts";
import { inlineExternalData } from "../onnx/external-data.ts";
import { preflight } from "../onnx/preflight.ts";
import type { Runtime, Session } from "../runtime/runtime.ts";
import { refuseTableModel } from "./table-models.ts";

/** What {@link gradient} is asked for. */
export interface GradientSettings {
  readonly runtime: Runtime;
  /**
   * Writes the loss behind the model, from its outputs (float32, with the dims they have at `batch`) and from inputs
   * that it adds itself. A loss with more than one value counts as their sum.
   */
  readonly loss: (b: GraphBuilder, outputs: Readonly<Record<string, GraphValue>>) => ValueName;
  /** Inputs, weights or intermediate values by name. */
  readonly wrt: readonly string[];
  /** Rows of every run: the model's symbolic dims become this. */
  readonly batch: number;
  /** Dims of the inputs at a batch size, where not every symbolic dim is the batch. */
  readonly dims?: InputDims | undefined;
  /** Files of external data by the relative location that the model names. */
  readonly externalData?: Readonly<Record<string, Uint8Array>> | undefined;
  /** Threads inside one run. */
  readonly threads?: number | undefined;
}

/** The name of the output that holds the loss. */
export const LOSS = "loss";

/**
 * Opens a session with the inputs of a model (and of its loss), and with its outputs, `loss`, and `grad.<name>` for each
 * of `wrt`. Whoever opens it disposes it.
 * @param model bytes of an ONNX file, opset 7 or newer.
 * @throws FormatError when the model is none, UnsupportedOpError when an operator between the loss and `wrt` has no
 * gradient or dims depend on values, OptionError when a name is unknown or the loss does not depend on it.
 * @example
 * const session = await gradient(bytes, { runtime, batch: 8, wrt: ["image"], loss: (b) => b.op("ReduceMax", ["logits"]) });
 */
export async function gradient(model: Uint8Array, settings: GradientSettings): Promise<Session> {
  const { runtime, externalData, threads } = settings;
  const graph = await gradientGraph(readGraph(model, externalData), settings);
  return await runtime.load(graphToBytes(graph), { threads });
}

/** The graph of a network's bytes. External data is moved inside. @throws UnsupportedOpError for a model of tables. */
export function readGraph(model: Uint8Array, externalData: GradientSettings["externalData"]): Graph {
  const proto = decodeModel(model);
  preflight(proto);
  refuseTableModel(proto);
  inlineExternalData(proto, externalData ?? {});
  return graphFromModel(proto);
}

/** The model with its loss, differentiated. */
async function gradientGraph(
  graph: Graph,
  { runtime, loss, wrt, batch, dims }: Omit<GradientSettings, "externalData" | "threads">,
): Promise<Graph> {
  const run = probingWith(runtime);
  const net = await specialise(graph, run, { batch, dims, keep: new Set(wrt) });
  const outputs = Object.fromEntries(
    net.graph.outputs.map((output) => [output.name, { ...output, ...net.facts.get(output.name) }]),
  );
  if (Object.hasOwn(outputs, LOSS))
    throw new OptionError(`gradient: expected a model without output "${LOSS}", got one.`);
  const whole = await extend(net, run, (b) => b.output(LOSS, loss(b, outputs), "float32"));
  return differentiate(whole.graph, { seeds: { [LOSS]: 1 }, wrt }, whole.facts);
}

/** One run of a model, as the engine computes it without rewriting. */
export function probingWith(runtime: Runtime): RunModel {
  return async (model, feeds) => {
    const session = await runtime.load(model, { optimize: false });
    try {
      return await session.run(feeds);
    } finally {
      await session.dispose();
    }
  };
}
