/**
 * @file A method that is ready to purify batches and to judge them: votes, scores before and after, suspicion. Used by
 * the `purify` job, and by whatever keeps a purifier open between requests.
 */
import type { Classifier } from "../classifiers/classifier.ts";
import { toProbabilities } from "../classifiers/probability.ts";
import { parseOptions } from "../core/descriptor.ts";
import { OptionError, RuntimeFailure } from "../core/errors.ts";
import { hashJson } from "../core/hash.ts";
import { lookUp } from "../core/names.ts";
import { createNoise, type ImageId } from "../core/noise.ts";
import type { NoiseSource, RunContext } from "../core/run-context.ts";
import type { Prior } from "../diffusion/prior.ts";
import { labelChanges, largestResidual, softmaxShift } from "../metrics/suspicion.ts";
import type { Purifier, PurifierDescriptor } from "../purify/purifier.ts";
import { purifiers } from "../purify/registry.ts";
import { combine } from "../tensor/arithmetic.ts";
import { repeatRows, rowsOf } from "../tensor/rows.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import { type MethodChoice, planVotes, type VotePlan } from "./votes.ts";

/** What a purifier is opened with. */
export interface PurifierAssets {
  readonly prior?: Prior | undefined;
  readonly classifier?: Classifier | undefined;
}

/** A batch, purified and judged. */
export interface JudgedBatch {
  /** Mean over the votes, float32 [N, C, H, W] in [0, 1]. */
  readonly images: Float32Tensor;
  /** Maps [N, 1, H, W] in [0, 1], mean over the votes. */
  readonly evidence: Readonly<Record<string, Float32Tensor>>;
  /** Class probabilities before and after (mean over the votes), [N, K]; absent without a classifier. */
  readonly scores?: { readonly before: Float32Tensor; readonly after: Float32Tensor } | undefined;
  /** [N]; what it is made of is {@link OpenPurifier.suspicion}. */
  readonly suspicion: Float64Array;
}

/** A purifier between requests. It does not own its prior or classifier. */
export interface OpenPurifier {
  readonly method: string;
  readonly plan: VotePlan;
  /** How suspicion is measured: from scores, from hard labels, or (weak) from pixels alone. */
  readonly suspicion: "scores" | "labels" | "weak";
  /** Identifies the settings that a calibrated threshold belongs to. */
  readonly key: string;
  /** Noise deviations in [0, 1] pixel units, by stage, of the first vote. */
  readonly sigma01: Readonly<Record<string, number>>;
  /** Images that the prior's network has seen so far. */
  readonly networkCalls: number;
  /** @param ids ids of the images, one a row. */
  purify(
    images: Float32Tensor,
    ids: readonly ImageId[],
    run: { seed: number; signal?: AbortSignal | undefined; progress?: (share: number) => void },
  ): Promise<JudgedBatch>;
}

/** One set of options with the votes that use it. */
interface Group {
  readonly purifier: Purifier;
  readonly votes: readonly number[];
}

/**
 * Opens a method.
 * @throws OptionError when the method, preset or an option is unknown, or when the method needs a prior or classifier
 * that is not given.
 */
export async function openPurifier(
  method: string,
  choice: MethodChoice,
  assets: PurifierAssets,
): Promise<OpenPurifier> {
  const descriptor: PurifierDescriptor = lookUp<PurifierDescriptor>("purifier", method, purifiers);
  return await openVotes(descriptor, planVotes(descriptor, choice), assets);
}

/**
 * Opens a method whose votes are planned.
 * @throws OptionError when an option is unknown or out of range, or when the method needs a prior or classifier that is
 * not given.
 */
export async function openVotes(
  descriptor: PurifierDescriptor,
  plan: VotePlan,
  assets: PurifierAssets,
): Promise<OpenPurifier> {
  const method = descriptor.name;
  for (const [asset, flag] of [
    ["prior", "--prior DIR"],
    ["classifier", "--classifier MODEL.onnx|URL"],
  ] as const) {
    if (descriptor.needs[asset] && assets[asset] === undefined) {
      throw new OptionError(`${method}: expected a ${asset}, got none. Give one with ${flag}.`);
    }
  }
  const { classifier } = assets;
  const counted = countCalls(assets.prior);
  const groups: Group[] = [];
  for (const [options, votes] of groupVotes(plan)) {
    const complete = parseOptions(descriptor, options);
    groups.push({ purifier: await descriptor.create(complete, { prior: counted.prior, classifier }), votes });
  }
  let suspicion: OpenPurifier["suspicion"] = classifier === undefined ? "weak" : "scores";
  return {
    method,
    plan,
    get suspicion() {
      return suspicion;
    },
    key: hashJson([method, plan.votes, assets.prior?.hash ?? null]),
    sigma01: groups[0]?.purifier.sigma01 ?? {},
    get networkCalls() {
      return counted.calls();
    },
    async purify(images, ids, { seed, signal, progress }) {
      const n = images.dims[0] ?? 0;
      const noise = createNoise(seed, ids);
      const purified: Float32Tensor[] = [];
      const maps: Record<string, Float32Tensor[]> = {};
      let done = 0;
      for (const { purifier, votes } of groups) {
        const context: RunContext = {
          noise: votedNoise(noise, n, votes),
          signal,
          progress: (step, total) => progress?.((done + (votes.length * step) / total) / plan.votes.length),
        };
        const result = await purifier.purify(repeatRows(images, votes.length), context);
        votes.forEach((_, copy) => {
          purified.push(rowsOf(result.images, copy * n, (copy + 1) * n));
          for (const [name, map] of Object.entries(result.evidence)) {
            maps[name] = [...(maps[name] ?? []), rowsOf(map, copy * n, (copy + 1) * n)];
          }
        });
        done += votes.length;
      }
      checkFinite(method, purified, n);
      const evidence = Object.fromEntries(Object.entries(maps).map(([name, list]) => [name, mean(list)]));
      const average = mean(purified);
      if (classifier === undefined) {
        return { images: average, evidence, suspicion: largestResidual(images, average) };
      }
      const { scores: before, hard } = await classified(classifier, images, signal);
      const after: Float32Tensor[] = [];
      for (const vote of purified) after.push((await classified(classifier, vote, signal)).scores);
      suspicion = hard ? "labels" : "scores";
      return {
        images: average,
        evidence,
        scores: { before, after: mean(after) },
        suspicion: hard ? labelChanges(before, after) : softmaxShift(before, after),
      };
    },
  };
}

/** Equal option sets become one group, so that their votes run as one batch. */
function groupVotes(plan: VotePlan): [VotePlan["votes"][number], number[]][] {
  const groups = new Map<string, [VotePlan["votes"][number], number[]]>();
  plan.votes.forEach((options, vote) => {
    const key = hashJson(options);
    const group = groups.get(key) ?? [options, []];
    group[1].push(vote);
    groups.set(key, group);
  });
  return [...groups.values()];
}

/** Row r of the repeated batch is image r mod n in vote number floor(r / n) of the group. */
function votedNoise(noise: NoiseSource, n: number, votes: readonly number[]): NoiseSource {
  return (row, stream, step, size) => noise(row % n, `vote${votes[Math.floor(row / n)]}/${stream}`, step, size);
}

/** The prior, counting the images that its network sees. */
function countCalls(prior: Prior | undefined): { prior: Prior | undefined; calls: () => number } {
  let calls = 0;
  if (prior === undefined) return { prior, calls: () => calls };
  const predict: Prior["predict"] = (x, t, signal) => {
    calls += x.dims[0] ?? 0;
    return prior.predict(x, t, signal);
  };
  return { prior: { ...prior, predict, dispose: () => prior.dispose() }, calls: () => calls };
}

async function classified(
  classifier: Classifier,
  images: Float32Tensor,
  signal: AbortSignal | undefined,
): Promise<{ scores: Float32Tensor; hard: boolean }> {
  const answer = await classifier.classify(images, signal);
  return { scores: toProbabilities(answer), hard: answer.kind === "labels" };
}

/** Elementwise mean. */
function mean(list: readonly Float32Tensor[]): Float32Tensor {
  return combine(...list.map((t) => [1 / list.length, t] as const));
}

function checkFinite(method: string, votes: readonly Float32Tensor[], n: number): void {
  for (const { data } of votes) {
    const at = data.findIndex((value) => !Number.isFinite(value));
    if (at >= 0) {
      const row = Math.floor((at * n) / data.length);
      throw new RuntimeFailure(
        `${method}: expected finite pixels, got ${data[at]} in image ${row} of the batch; the prior's weights do not suit this input.`,
      );
    }
  }
}
