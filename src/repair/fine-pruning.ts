/** @file Fine-pruning: channels that clean images leave dormant go, then the network learns on from clean images. */
import { z } from "zod";
import { OptionError } from "../core/errors.ts";
import type { Graph } from "../graph/ir.ts";
import { inferenceForm } from "../training/inference-form.ts";
import { chooseThreshold } from "./choose-threshold.ts";
import { fitBatch } from "./fit-batch.ts";
import { inputMagnitudes } from "./layers/channel-statistics.ts";
import { type ChannelParameter, findLayers, type Layer } from "./layers/find-layers.ts";
import { openJudge } from "./layers/judge.ts";
import { foldMultipliers, withMultipliers } from "./layers/multipliers.ts";
import { type CurvePoint, defineRepair, LEAST_IMAGES, type RepairContext } from "./repair.ts";
import { tune, tuningOptions } from "./tuning.ts";

const options = tuningOptions.extend({
  epochs: z
    .number()
    .min(0)
    .max(1e5)
    .default(10)
    .describe("Times that every clean image is seen after pruning; 0 for pruning alone."),
  stride: z.number().gt(0).max(1).default(0.02).describe("Share of the channels that goes between two measurements."),
  most: z.number().min(0).max(1).default(0.95).describe("Largest share of the channels that may go."),
  maxDrop: z
    .number()
    .min(0)
    .max(1)
    .default(0.04)
    .describe("Largest loss of accuracy on held images that pruning may cost."),
});
type Options = z.output<typeof options>;

/** So many of the most dormant channels, and which are kept: ones and zeros. */
interface Pruning extends CurvePoint {
  readonly kept: Float32Array;
}

/**
 * Ranks the channels that the last layer reads by how strongly clean images excite them, and cuts the weakest off until
 * accuracy on held images falls too far; then trains all weights on the clean images. What was cut off stays so.
 * @deviation The channels are those that the last layer reads, as in BackdoorBench: in networks that end with a mean over
 * the map they are those of the last convolution. The step after which accuracy has fallen too far is undone.
 */
export const finePruning = defineRepair({
  name: "fine-pruning",
  summary: "Cut off the channels of the last layer that clean images leave dormant, then train on clean images.",
  source:
    "Liu, Dolan-Gavitt and Garg 2018, Fine-Pruning: Defending Against Backdooring Attacks on Deep Neural Networks. https://arxiv.org/abs/1805.12185",
  options,
  needs: { cleanImages: LEAST_IMAGES, heldImages: true },
  presets: {
    paper: { stride: 0.01, maxDrop: 0.04, epochs: 10, rate: 0.01, weightDecay: 0 },
    official: { stride: 0.01, maxDrop: 0.1, epochs: 100, batch: 256, rate: 0.01 },
    recommended: {},
  },
  async create(settings, context) {
    const graph = inferenceForm(context.net.graph);
    const last = lastLayer(graph, context);
    fitBatch(settings.batch, context);
    return {
      repair: async () => {
        const { chosen, curve } = await pruneDormant(graph, last, { settings, context });
        const kept = chosen?.kept ?? new Float32Array(last.incoming.channels).fill(1);
        const { graph: tuned, losses } = await learnOn(graph, last, { kept, settings, context });
        const channels = [...kept.entries()].filter(([, one]) => one === 0).map(([channel]) => channel);
        return {
          graph: foldMultipliers(tuned, [last.incoming], [kept]),
          pruned: channels.length === 0 ? [] : [{ layer: last.incoming.value, channels, of: kept.length }],
          threshold: chosen?.at ?? null,
          curve: curve.map(({ at, pruned, accuracy }) => ({ at, pruned, accuracy })),
          losses,
        };
      },
    };
  },
});

/** The one layer that writes the scores, and its weights by input channel. */
type LastLayer = Layer & { readonly incoming: ChannelParameter };

function lastLayer(graph: Graph, { net }: RepairContext): LastLayer {
  const last = findLayers(graph, net.signature.output).filter(({ writesScores }) => writesScores);
  const [only] = last;
  if (only?.incoming !== undefined && last.length === 1) return { ...only, incoming: only.incoming };
  throw new OptionError(
    `fine-pruning: expected a network whose scores come from one linear layer or convolution with float32 weights, got ${last.length || "none"} such. Do choose another method, such as anp.`,
  );
}

/** What the steps of one repair share. */
interface Run {
  readonly settings: Options;
  readonly context: RepairContext;
}

async function pruneDormant(
  graph: Graph,
  last: LastLayer,
  { settings: { stride, most, maxDrop }, context }: Run,
): Promise<Awaited<ReturnType<typeof chooseThreshold<Pruning>>>> {
  const { net, learned, held, runtime, threads, signal } = context;
  const excited = await inputMagnitudes(net, graph, last, { ...context, images: learned });
  const order = [...excited.keys()].sort((a, b) => (excited[a] ?? 0) - (excited[b] ?? 0) || a - b);
  const judge = await openJudge(net, withMultipliers(graph, [last.incoming]), { held, runtime, threads });
  try {
    const whole = await judge.accuracy([new Float32Array(order.length).fill(1)], signal);
    const measure = async (at: number): Promise<Pruning> => {
      const kept = new Float32Array(order.length).fill(1);
      for (const channel of order.slice(0, at)) kept[channel] = 0;
      return { at, pruned: at, accuracy: await judge.accuracy([kept], signal), kept };
    };
    const width = Math.max(1, Math.round(stride * order.length));
    const counts = Array.from({ length: Math.floor((most * order.length) / width) }, (_, i) => (i + 1) * width);
    return await chooseThreshold(counts, measure, { least: whole - maxDrop, signal });
  } finally {
    await judge.dispose();
  }
}

/** Trains with the cut in place: the weights of what was cut off have no gradient. */
async function learnOn(
  graph: Graph,
  { incoming }: LastLayer,
  { kept, settings, context }: Run & { readonly kept: Float32Array },
): Promise<{ readonly graph: Graph; readonly losses: readonly number[] }> {
  if (settings.epochs === 0) return { graph, losses: [] };
  const { graph: multiplied, names } = withMultipliers(graph, [incoming]);
  const initializers = new Map(multiplied.initializers);
  for (const name of names) {
    const ones = initializers.get(name);
    if (ones !== undefined) initializers.set(name, { dtype: "float32", dims: ones.dims, data: kept });
  }
  const { graph: trained, state } = await tune(settings, context, {
    net: { ...context.net, graph: { ...multiplied, initializers } },
    learns: (name) => !names.includes(name),
  });
  const learned = [...graph.initializers].map(
    ([name, value]) => [name, trained.initializers.get(name) ?? value] as const,
  );
  return { graph: { ...graph, initializers: new Map(learned) }, losses: state.losses };
}
