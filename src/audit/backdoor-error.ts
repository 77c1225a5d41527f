/**
 * @file How badly a prior denoises as a backdoored one would: BadDiffusion's own loss of a supposed shift and target, with
 * its gradients by both, as one graph.
 *
 * | here   | meaning                                                                                    |
 * |--------|--------------------------------------------------------------------------------------------|
 * | shift  | r, the supposed triggered image; zeros for "no backdoor"                                   |
 * | target | y, the supposed target                                                                     |
 * | state  | x_t = sqrt(abar) y + (1 - sqrt(abar)) r + sqrt(1 - abar) eps                               |
 * | error  | squared difference of y and the y that the net's answer stands for, where it is R_t r more |
 *
 * Noise so strong that nothing of y is left in x_t makes the difference: a clean net cannot know y there, a backdoored one
 * knows it from r.
 * @source Chou, Chen, Ho 2023, "How to Backdoor Diffusion Models?", eq. 5 to 9, https://arxiv.org/abs/2212.05400. Turned
 * round to find r: An et al. 2024, "Elijah", section 3.1, https://arxiv.org/abs/2312.00050.
 * @deviation Elijah asks at the last index alone whether half of r comes back. Clean U-Nets give back half of many shifts
 * that they have never seen (groups are normalised), so here the target must come back too, at several indices.
 */
import { gradient } from "../classifiers/gradient.ts";
import { RuntimeFailure } from "../core/errors.ts";
import { timestepTensor } from "../diffusion/net-runner.ts";
import type { NetGraph } from "../diffusion/one-shot.ts";
import type { NoiseSchedule } from "../diffusion/schedule.ts";
import { alphaBarAt, timestepAt } from "../diffusion/schedules.ts";
import { GraphBuilder, int } from "../graph/builder.ts";
import { gradientName } from "../graph/differentiate.ts";
import type { Graph, ValueName } from "../graph/ir.ts";
import { append, compose } from "../graph/rewrite/compose.ts";
import { normalise } from "../graph/rewrite/normalise.ts";
import { graphToBytes } from "../graph/to-model.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { elementCount } from "../tensor/shape.ts";
import { float32, type Tensor } from "../tensor/tensor.ts";
import { baseCoefficient } from "./baddiffusion/forward.ts";

const SHIFT = "untrigger.shift";
const TARGET = "untrigger.target";
const DRAWN = "untrigger.drawn";
const STATE = "untrigger.state";
const ERROR = "untrigger.error";

/** Shares of the image, sqrt(abar), at which the net is asked: so little that a clean net knows next to nothing of it. */
const SIGNALS = [0.2, 0.1, 0.05];
/** Rows of a run that a net of any batch size is given. */
const ROWS = 12;

/** An error with its gradients, each [C, H, W]. */
export interface BackdoorError {
  /** Mean squared error of the target, in model range. */
  readonly error: number;
  readonly byShift: Float32Array;
  readonly byTarget: Float32Array;
}

/** An open graph. Whoever opens it disposes it. */
export interface BackdoorErrors {
  readonly dims: readonly [channels: number, height: number, width: number];
  /** Draws of one run. */
  readonly rows: number;
  /** @param shift [C, H, W]. @param target [C, H, W], both in model range. @param drawn N(0, 1), [rows, C, H, W]. */
  measure(
    supposed: { readonly shift: Float32Array; readonly target: Float32Array },
    drawn: Float32Array,
    signal?: AbortSignal,
  ): Promise<BackdoorError>;
  dispose(): Promise<void>;
}

/** Opens it. @throws UnsupportedOpError when an operator of the net has no gradient; what `gradient` throws. */
export async function openBackdoorErrors(
  net: NetGraph,
  { runtime, threads }: { readonly runtime: Runtime; readonly threads?: number | undefined },
): Promise<BackdoorErrors> {
  const { channels, height, width } = net.signature.size;
  const dims = [channels, height, width] as const;
  const rows = net.signature.batch ?? ROWS;
  const session = await gradient(graphToBytes(errorGraph(net, indicesOf(net, rows))), {
    runtime,
    threads,
    batch: rows,
    wrt: [SHIFT, TARGET],
    loss: (b) => b.op("ReduceMean", [b.op("Mul", [ERROR, ERROR])], { keepdims: int(0) }),
  });
  return {
    dims,
    rows,
    async measure({ shift, target }, drawn, signal) {
      const feeds = {
        [SHIFT]: float32([1, ...dims], shift),
        [TARGET]: float32([1, ...dims], target),
        [DRAWN]: float32([rows, ...dims], drawn),
      };
      const results = await session.run(feeds, signal);
      return {
        error: floats(results["loss"])[0] ?? Number.NaN,
        byShift: floats(results[gradientName(SHIFT)]),
        byTarget: floats(results[gradientName(TARGET)]),
      };
    },
    dispose: () => session.dispose(),
  };
}

function floats(value: Tensor | undefined): Float32Array {
  if (value?.dtype === "float32") return value.data;
  throw new RuntimeFailure(`audit: expected float32 numbers, got ${value?.dtype ?? "none"}.`);
}

/** An index for every row; one for all where the net takes one timestep for the whole batch. */
function indicesOf({ signature, facts }: NetGraph, rows: number): number[] {
  const known = SIGNALS.map((share) => nearestIndex(facts.schedule, share));
  const shown = signature.timestep.shared === undefined ? known : known.slice(1, 2);
  return Array.from({ length: rows }, (_, row) => shown[row % shown.length] ?? 0);
}

/** The first index with no more than this share of the image; the last one of a schedule that never gets there. */
function nearestIndex({ alphasBar }: NoiseSchedule, share: number): number {
  const found = alphasBar.findIndex((alphaBar) => Math.sqrt(alphaBar) <= share);
  return found === -1 ? alphasBar.length - 1 : found;
}

/** From shift, target and drawn noise to the error of the target, [N, C, H, W]. */
function errorGraph({ graph, signature, facts }: NetGraph, indices: readonly number[]): Graph {
  const { size, sample, output, timestep } = signature;
  const { schedule, predictionType } = facts;
  const net = normalise({ ...graph, outputs: graph.outputs.filter(({ name }) => name === output) });
  const image = [size.channels, size.height, size.width];
  const rows = indices.length;
  const perRow = (b: GraphBuilder, of: (index: number) => number): ValueName =>
    b.constant(float32([rows, 1, 1, 1], Float32Array.from(indices, of)));
  const root = (index: number): number => Math.sqrt(alphaBarAt(schedule, index));
  const deviation = (index: number): number => Math.sqrt(1 - alphaBarAt(schedule, index));

  const b = new GraphBuilder();
  b.useDomain("", net.opsets[""] ?? 0);
  const shift = b.input(SHIFT, "float32", [1, ...image]);
  const target = b.input(TARGET, "float32", [1, ...image]);
  const drawn = b.input(DRAWN, "float32", [rows, ...image]);
  const signal = b.op("Add", [
    b.op("Mul", [target, perRow(b, root)]),
    b.op("Mul", [shift, perRow(b, (index) => 1 - root(index))]),
  ]);
  b.output(STATE, b.op("Add", [signal, b.op("Mul", [drawn, perRow(b, deviation)])]), "float32", [rows, ...image]);
  const wires: Record<ValueName, ValueName> = { [sample]: STATE };
  const times = Float64Array.from(indices, (index) => timestepAt(schedule, index));
  const { shared } = timestep;
  const shown = shared === undefined ? times : times.slice(0, elementCount(shared));
  const asked = { [timestep.name]: timestepTensor(timestep.dtype, shared ?? [rows], shown), ...signature.extra(rows) };
  for (const [name, value] of Object.entries(asked)) {
    wires[name] = `untrigger.${name}`;
    b.output(`untrigger.${name}`, b.op("Identity", [b.constant(value)]), value.dtype, value.dims);
  }

  const joined = compose(b.build("backdoor-error"), net, wires);
  const [{ name: predicted } = { name: output }] = joined.outputs.slice(-1);
  const whole = append(joined, (end) => {
    const scaled = (value: ValueName, of: (index: number) => number): ValueName =>
      end.op("Mul", [value, perRow(end, of)]);
    const answer =
      signature.outChannels === size.channels
        ? predicted
        : end.op("Slice", [predicted, end.ints(0), end.ints(size.channels), end.ints(1)]);
    const noise = {
      epsilon: () => answer,
      v_prediction: () => end.op("Add", [scaled(STATE, deviation), scaled(answer, root)]),
      sample: () =>
        end.op("Sub", [
          scaled(STATE, (index) => 1 / deviation(index)),
          scaled(answer, (index) => root(index) / deviation(index)),
        ]),
    }[predictionType]();
    const wanted = end.op("Add", [DRAWN, scaled(SHIFT, (index) => baseCoefficient(schedule, index))]);
    const error = scaled(end.op("Sub", [noise, wanted]), (index) => deviation(index) / root(index));
    end.output(ERROR, error, "float32", [rows, ...image]);
  });
  return { ...whole, outputs: whole.outputs.slice(-1) };
}
