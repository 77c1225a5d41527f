/**
 * @file One-shot denoising as a graph: what a prior takes a noisy image for in a single call of its net. As a graph it can
 * be put in front of a classifier, and gradients pass through both.
 */
import { GraphBuilder } from "../graph/builder.ts";
import type { Graph, ValueName } from "../graph/ir.ts";
import { append, compose } from "../graph/rewrite/compose.ts";
import { normalise } from "../graph/rewrite/normalise.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type NetSignature, timestepTensor } from "./net-runner.ts";
import type { SchedulerFacts } from "./scheduler-config.ts";
import { alphaBarAt, timestepAt } from "./schedules.ts";

/** A prior's net, not loaded. */
export interface NetGraph {
  readonly graph: Graph;
  readonly signature: NetSignature;
  readonly facts: SchedulerFacts;
}

const NOISY = "untrigger.noisy";
const STATE = "untrigger.state";
const CLEAN = "untrigger.denoised";

/**
 * The graph from noisy images [N, C, H, W] in [0, 1] units (not clamped: image plus `sigma01(schedule, index)` times
 * normal noise) to denoised ones in [0, 1].
 * @param index of the schedule, 0..T-1. @throws OptionError when there is no such index.
 * @source Carlini et al. 2023, "(Certified!!) Adversarial Robustness for Free!", Algorithm 1. https://arxiv.org/abs/2206.10550
 */
export function oneShotDenoiser({ graph, signature, facts }: NetGraph, index: number): Graph {
  const { size, sample, output, timestep, batch } = signature;
  const alphaBar = alphaBarAt(facts.schedule, index);
  const shown = timestepAt(facts.schedule, index);
  const net = normalise({ ...graph, outputs: graph.outputs.filter(({ name }) => name === output) });

  const b = new GraphBuilder();
  b.useDomain("", net.opsets[""] ?? 0);
  const noisy = b.input(NOISY, "float32", [batch ?? "N", size.channels, size.height, size.width]);
  const root = Math.sqrt(alphaBar);
  b.output(STATE, b.op("Sub", [b.op("Mul", [noisy, b.float(2 * root)]), b.float(root)]), "float32");
  const wires: Record<ValueName, ValueName> = { [sample]: STATE };
  const feed = (name: string, value: Tensor, perImage: boolean): void => {
    wires[name] = `untrigger.${name}`;
    const constant = b.constant(value);
    const rows = perImage ? b.op("Expand", [constant, rowsOfBatch(b, noisy)]) : constant;
    b.output(`untrigger.${name}`, rows, value.dtype);
  };
  const times = timestepTensor(timestep.dtype, timestep.shared ?? [1], Float64Array.of(shown));
  feed(timestep.name, times, timestep.shared === undefined);
  for (const [name, value] of Object.entries(signature.extra(1))) feed(name, value, true);

  const joined = compose(b.build("one-shot"), net, wires);
  const [{ name: predicted } = { name: output }] = joined.outputs.slice(-1);
  const whole = append(joined, (end) => {
    const answer = signature.outChannels === size.channels ? predicted : firstChannels(end, predicted, size.channels);
    const x0 = cleanEstimate(end, answer, { alphaBar, type: facts.predictionType });
    const clipped = end.op("Clip", [x0, end.float(-1), end.float(1)]);
    const unit = end.op("Add", [end.op("Mul", [clipped, end.float(0.5)]), end.float(0.5)]);
    end.output(CLEAN, unit, "float32", [batch ?? "N", size.channels, size.height, size.width]);
  });
  return { ...whole, outputs: whole.outputs.slice(-1) };
}

/** The clean image that a net's answer stands for, in model range. */
function cleanEstimate(
  b: GraphBuilder,
  answer: ValueName,
  { alphaBar, type }: { readonly alphaBar: number; readonly type: SchedulerFacts["predictionType"] },
): ValueName {
  if (type === "sample") return answer;
  const [root, deviation] = [Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar)];
  const [state, away] = type === "epsilon" ? [1 / root, deviation / root] : [root, deviation];
  return b.op("Sub", [b.op("Mul", [STATE, b.float(state)]), b.op("Mul", [answer, b.float(away)])]);
}

/** The first C channels: a learned variance follows them. */
function firstChannels(b: GraphBuilder, answer: ValueName, channels: number): ValueName {
  return b.op("Slice", [answer, b.ints(0), b.ints(channels), b.ints(1)]);
}

/** [N], int64 [1]: the batch as a shape. */
function rowsOfBatch(b: GraphBuilder, images: ValueName): ValueName {
  return b.op("Slice", [b.op("Shape", [images]), b.ints(0), b.ints(1), b.ints(0)]);
}
