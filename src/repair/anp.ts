/** @file Adversarial neuron pruning: switches off the channels that a backdoor needs and clean images do not. */
import { z } from "zod";
import { IMAGES } from "../classifiers/image-graph.ts";
import type { Graph } from "../graph/ir.ts";
import { augmentationOf, augmentationOptions } from "../training/batches/augment.ts";
import { labelledBatches } from "../training/batches/labelled.ts";
import { inferenceForm } from "../training/inference-form.ts";
import { ROW_WEIGHTS, TARGETS } from "../training/losses.ts";
import { type ChosenThreshold, chooseThreshold } from "./choose-threshold.ts";
import { fitBatch } from "./fit-batch.ts";
import { outputStatistics } from "./layers/channel-statistics.ts";
import { findLayers, type Layer } from "./layers/find-layers.ts";
import { insertNorms } from "./layers/insert-norms.ts";
import { openJudge } from "./layers/judge.ts";
import { foldMultipliers, withMultipliers } from "./layers/multipliers.ts";
import { prunableLayers } from "./layers/prunable.ts";
import { silence } from "./layers/silence.ts";
import { freshMasks, improveMasks, initialNoise } from "./masks/learn-masks.ts";
import { openMaskStep } from "./masks/open-mask-step.ts";
import { type CurvePoint, defineRepair, LEAST_IMAGES, type RepairContext } from "./repair.ts";

const options = z.object({
  where: z
    .enum(["auto", "norms", "weights"])
    .default("auto")
    .describe("Whose channels: normalisations, or convolutions and linear layers; auto takes the former if any."),
  iterations: z.int().min(1).max(1e6).default(2000).describe("Iterations of the search for masks."),
  batch: z.int().min(1).max(65_536).default(128).describe("Images of one iteration."),
  reach: z.number().min(0).max(10).default(0.4).describe("How far channels are disturbed, in units of themselves."),
  steps: z.int().min(1).max(100).default(1).describe("Steps by which the disturbance climbs the loss."),
  project: z.boolean().default(false).describe("Whether the disturbance stays within its reach."),
  share: z.number().min(0).max(1).default(0.2).describe("Weight of the undisturbed loss."),
  rate: z.number().gt(0).max(100).default(0.2).describe("Learning rate of the masks."),
  momentum: z.number().min(0).lt(1).default(0.9).describe("Momentum of the masks."),
  threshold: z
    .number()
    .min(0)
    .max(1)
    .nullable()
    .default(null)
    .describe("Channels with a mask up to this are switched off; null to choose it on held images."),
  stride: z.number().min(0.001).max(1).default(0.05).describe("Distance between two thresholds that are tried."),
  maxDrop: z
    .number()
    .min(0)
    .max(1)
    .default(0.05)
    .describe("Largest loss of accuracy on held images that a chosen threshold may cost."),
  crop: augmentationOptions.shape.crop.describe("Pixels of zeros around an image before it is cropped at random."),
  flip: augmentationOptions.shape.flip.describe("Mirror every other image left to right."),
});
type Options = z.output<typeof options>;

/** The highest threshold that is tried. */
const HIGHEST = 0.9;

/** A threshold, and what it switches off: zeros and ones by layer. */
interface Pruning extends CurvePoint {
  readonly kept: readonly Float32Array[];
}

/**
 * Learns a mask for every channel while all channels are disturbed, then switches off those whose mask is low: their
 * scale becomes zero, their shift stays. The network keeps its nodes.
 * @deviation Where there are no normalisations, each convolution and linear layer gets one that does nothing, made of the
 * mean and deviation of its output on clean images; a channel that is switched off then has no weights, and its mean as
 * bias. Thresholds are chosen on images that are held out of the clean ones given, never on test images.
 */
export const anp = defineRepair({
  name: "anp",
  summary: "Switch off the channels that break first when all are disturbed, found on a few clean images.",
  source:
    "Wu and Wang 2021, Adversarial Neuron Pruning Purifies Backdoored Deep Models. https://arxiv.org/abs/2110.14430",
  options,
  needs: { cleanImages: LEAST_IMAGES, heldImages: true },
  presets: {
    paper: { project: true, threshold: 0.2, crop: 4, flip: true },
    official: { maxDrop: 0.1, crop: 4, flip: true },
    recommended: { reach: 0.2, batch: 32, iterations: 80, stride: 0.01 },
  },
  async create(settings, context) {
    const graph = inferenceForm(context.net.graph);
    const { output } = context.net.signature;
    // Another output, such as features, is not what is judged.
    const scored = { ...graph, outputs: graph.outputs.filter(({ name }) => name === output) };
    const layers = prunableLayers(findLayers(scored, output), settings.where, "anp");
    const batch = fitBatch(settings.batch, context);
    return {
      repair: async () => {
        const normed = await withNorms(scored, layers, context);
        const { masks, losses } = await learnMasks(normed, { batch, settings, context });
        const { chosen, curve } = await choosePruning(normed, masks, { settings, context });
        const kept = chosen?.kept ?? [];
        return {
          graph: chosen === undefined ? graph : normed.prune(graph, kept),
          pruned: layers.flatMap(({ scale: { value, channels: of } }, i) => {
            const channels = [...(kept[i] ?? []).entries()].filter(([, one]) => one === 0).map(([channel]) => channel);
            return channels.length === 0 ? [] : [{ layer: value, channels, of }];
          }),
          threshold: chosen?.at ?? null,
          curve: curve.map(({ at, pruned, accuracy }) => ({ at, pruned, accuracy })),
          losses,
        };
      },
    };
  },
});

/** A network all of whose layers in question are normalisations, and the way from there to a pruned network. */
interface Normed {
  readonly graph: Graph;
  /** The normalisations, one for each layer. */
  readonly norms: readonly Layer[];
  /** @param graph the network as it came. @param kept ones and zeros by layer. */
  prune(graph: Graph, kept: readonly Float32Array[]): Graph;
}

async function withNorms(graph: Graph, layers: readonly Layer[], context: RepairContext): Promise<Normed> {
  if (layers.every(({ kind }) => kind === "norm")) {
    const scales = layers.map(({ scale }) => scale);
    return { graph, norms: layers, prune: (whole, kept) => foldMultipliers(whole, scales, kept) };
  }
  const { net, learned } = context;
  const statistics = await outputStatistics(net, graph, layers, { ...context, images: learned });
  const { graph: normed, scales } = insertNorms(graph, layers, statistics);
  const found = findLayers(normed, net.signature.output);
  return {
    graph: normed,
    norms: scales.flatMap((name) => found.filter(({ scale }) => scale.value === name)),
    prune: (whole, kept) =>
      silence(
        whole,
        layers,
        layers.map((_, i) => ({
          kept: kept[i] ?? new Float32Array(0),
          mean: statistics[i]?.mean ?? new Float32Array(0),
        })),
      ),
  };
}

/** What the steps of one repair share. */
interface Run {
  readonly settings: Options;
  readonly context: RepairContext;
}

/** Masks by layer, one number for each channel. */
async function learnMasks(
  { graph, norms }: Normed,
  { batch, settings, context }: Run & { readonly batch: number },
): Promise<{ readonly masks: readonly Float32Array[]; readonly losses: readonly number[] }> {
  const { net, learned, classes, seed, runtime, threads, signal } = context;
  const { iterations, reach } = settings;
  const batches = labelledBatches({ ...learned, classes, batch, seed, augmentation: augmentationOf(settings) });
  const step = await openMaskStep(net, graph, { layers: norms, batch, runtime, threads });
  try {
    const state = freshMasks(step);
    const losses: number[] = [];
    for (let iteration = 0; iteration < iterations; iteration++) {
      signal?.throwIfAborted();
      const { images, targets, weights } = await batches(iteration);
      const feeds = { [IMAGES]: images, [TARGETS]: targets, [ROW_WEIGHTS]: weights };
      const start = initialNoise(step, { reach, seed, iteration });
      losses.push((await improveMasks(step, state, { search: settings, feeds, start })).loss);
      context.progress?.(iteration + 1, iterations);
    }
    return { masks: step.places.map(({ scale }) => state.masks.slice(scale.from, scale.to)), losses };
  } finally {
    await step.dispose();
  }
}

async function choosePruning(
  { graph, norms }: Normed,
  masks: readonly Float32Array[],
  { settings: { threshold, stride, maxDrop }, context: { net, held, runtime, threads, signal } }: Run,
): Promise<ChosenThreshold<Pruning>> {
  const scales = norms.map(({ scale }) => scale);
  const judge = await openJudge(net, withMultipliers(graph, scales), { held, runtime, threads });
  try {
    let last: Pruning | undefined;
    const measure = async (at: number): Promise<Pruning> => {
      const kept = masks.map((own) => own.map((mask) => (mask <= at ? 0 : 1)));
      const pruned = kept.reduce((sum, layer) => sum + layer.filter((one) => one === 0).length, 0);
      // Between two masks a threshold changes nothing.
      const accuracy = last?.pruned === pruned ? last.accuracy : await judge.accuracy(kept, signal);
      last = { at, pruned, accuracy, kept };
      return last;
    };
    if (threshold !== null) {
      const chosen = await measure(threshold);
      return { chosen, curve: [chosen] };
    }
    const whole = await judge.accuracy(
      masks.map((own) => new Float32Array(own.length).fill(1)),
      signal,
    );
    const count = Math.floor(HIGHEST / stride + 1e-9) + 1;
    const thresholds = Array.from({ length: count }, (_, i) => Number((i * stride).toFixed(6)));
    return await chooseThreshold(thresholds, measure, { least: whole - maxDrop, signal });
  } finally {
    await judge.dispose();
  }
}
