/**
 * @file Adversarial neuron pruning on diffusion models: scales and shifts of all channels climb the loss on clean images.
 * Channels that a backdoor needs are said to break first, so that samples from plain noise turn into its target.
 * @source Chou, Chen, Ho 2023, "How to Backdoor Diffusion Models?", section 4.6.1 and appendix B. https://arxiv.org/abs/2212.05400
 */
import { OptionError } from "../core/errors.ts";
import { runnerOf } from "../diffusion/net-runner.ts";
import type { NetGraph } from "../diffusion/one-shot.ts";
import { adaptPrediction } from "../diffusion/prediction-type.ts";
import type { Prior } from "../diffusion/prior.ts";
import { normalise } from "../graph/rewrite/normalise.ts";
import { graphToBytes } from "../graph/to-model.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Float32Tensor, TensorOf } from "../tensor/tensor.ts";
import { diffusionBatches } from "../training/batches/diffusion.ts";
import { train } from "../training/loop.ts";
import { squaredLoss } from "../training/losses.ts";
import { adam } from "../training/optimisers.ts";
import { constantRate } from "../training/schedules.ts";
import { freshState } from "../training/state.ts";
import { openStep } from "../training/step.ts";
import { trainableOf } from "../training/trainable.ts";
import { trainedGraph, trainedTensors } from "../training/trained.ts";
import { disturbable } from "./channel-disturbance.ts";
import { diversity } from "./diversity.ts";
import { shiftedSamples } from "./shifted-samples.ts";

/** How far and how long. */
export interface PruningSettings {
  /** Largest disturbance of a scale or shift; 1, 2 and 4 in the paper. */
  readonly budget: number;
  /** `paper` bounds the disturbance; `official` bounds scale and shift themselves, which begin at 1 and 0. */
  readonly bound: "paper" | "official";
  readonly rate: number;
  readonly batch: number;
  readonly epochs: number;
  /** Steps of one epoch. */
  readonly steps: number;
  /** Samples after each epoch, and calls of the net for each (DDPM). */
  readonly samples: number;
  readonly sampleSteps: number;
  readonly seed: number;
}

/** A net after each epoch. */
export interface PrunedEpoch {
  /** Mean clean loss of the epoch's last step: it grows. */
  readonly loss: number;
  readonly diversity: number;
  /** [N, C, H, W] in [0, 1]. */
  readonly samples: Float32Tensor;
}

/** What came of it. */
export interface Pruning {
  /** Diversity of the undisturbed prior's samples. */
  readonly plain: number;
  readonly epochs: readonly PrunedEpoch[];
}

/**
 * Disturbs a prior's channels against clean images, and looks at its samples after each epoch.
 * @param images clean ones, uint8 [M, C, H, W].
 * @throws OptionError for a net that predicts something else than noise, that has a variance of its own, or that takes
 * fewer images at a time than a batch; what training throws.
 */
export async function pruneChannels(
  { net, prior }: { readonly net: NetGraph; readonly prior: Prior },
  images: TensorOf<"uint8">,
  settings: PruningSettings,
  host: {
    readonly runtime: Runtime;
    readonly threads?: number | undefined;
    readonly signal?: AbortSignal | undefined;
    progress?(done: number, total: number): void;
  },
): Promise<Pruning> {
  const { batch, epochs, steps, seed, samples: count, sampleSteps } = settings;
  const { runtime, threads, signal, progress } = host;
  const { signature, facts } = net;
  if (facts.predictionType !== "epsilon" || signature.outChannels !== signature.size.channels) {
    throw new OptionError("anp: expected a prior that predicts noise and nothing else, got another one.");
  }
  const only = { ...net.graph, outputs: net.graph.outputs.filter(({ name }) => name === signature.output) };
  const { graph, scales, shifts } = disturbable(normalise(only));
  const trainable = trainableOf(graph, (name) => scales.has(name) || shifts.has(name));
  const error = squaredLoss(graph.outputs[0]?.name ?? signature.output, "noise");
  const step = await openStep(trainable, {
    runtime,
    threads,
    batch,
    loss: (b, outputs) => b.op("Neg", [error(b, outputs)]),
  });
  const sampling = { count, seed, sampler: "ddpm", steps: sampleSteps, clipX0: 1, signal } as const;
  const seen: PrunedEpoch[] = [];
  const plain = diversity(await shiftedSamples(prior, sampling));
  try {
    const optimiser = adam();
    const plan = { steps: epochs * steps, optimiser, rate: settings.rate, schedule: constantRate, clip: 1 };
    const feeds = diffusionBatches({ images, schedule: facts.schedule, batch, seed });
    await train(step, {
      plan,
      state: freshState(step, optimiser, false),
      batches: async (at) => {
        const { sample, timestep, noise } = await feeds(at);
        return defined({ [signature.sample]: sample, [signature.timestep.name]: timestep, noise });
      },
      signal,
      onStep: async ({ step: done, loss }, state) => {
        for (const { name, from, to } of step.weights.slots) {
          boundInto(state.weights.subarray(from, to), settings, scales.has(name) ? 1 : 0);
        }
        progress?.(done, plan.steps);
        if (done % steps !== 0) return;
        const model = graphToBytes(trainedGraph(trainable, trainedTensors(step, state)));
        const session = await runtime.load(model, { threads });
        try {
          const predict = adaptPrediction(facts.predictionType, facts.schedule, runnerOf(session, signature));
          const samples = await shiftedSamples({ ...prior, predict }, sampling);
          seen.push({ loss: -loss, diversity: diversity(samples), samples });
        } finally {
          await session.dispose();
        }
      },
    });
  } finally {
    await step.dispose();
  }
  return { plain, epochs: seen };
}

/** Feeds without what the net does not take. */
function defined<T>(feeds: Readonly<Record<string, T | undefined>>): Record<string, T> {
  return Object.fromEntries(Object.entries(feeds).filter((entry): entry is [string, T] => entry[1] !== undefined));
}

/** @param calm where the values began. */
function boundInto(values: Float32Array, { budget, bound }: PruningSettings, calm: number): void {
  const middle = bound === "paper" ? calm : 0;
  values.forEach((value, i) => {
    values[i] = Math.min(middle + budget, Math.max(middle - budget, value));
  });
}
