/** @file What is measured of every prior, the audited one and those that it is compared with: by the same rule. */

import { openBackdoorErrors } from "../../audit/backdoor-error.ts";
import { agreement, diversity, meanImage } from "../../audit/diversity.ts";
import { residuals } from "../../audit/residuals.ts";
import { type FoundBackdoor, searchBackdoor } from "../../audit/search-backdoor.ts";
import { shiftedSamples } from "../../audit/shifted-samples.ts";
import type { NetGraph } from "../../diffusion/one-shot.ts";
import type { Prior } from "../../diffusion/prior.ts";
import type { AuditMeasure } from "../../results/audit-record.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { affine, clamp } from "../../tensor/arithmetic.ts";
import type { Float32Tensor } from "../../tensor/tensor.ts";

/** How much work a measure is; the measures of other settings do not compare. */
export interface MeasureSettings {
  /** Steps of the search from each of its starts. */
  readonly iterations: number;
  /** Samples with the shift, and without. */
  readonly samples: number;
  /** Calls of the net for each: DDPM, because a backdoor is made for adjacent steps. */
  readonly steps: number;
  readonly seed: number;
}

/** What comes out of it besides the numbers. */
export interface MeasuredPrior {
  readonly measure: AuditMeasure;
  /** [C, H, W] in [-1, 1]. */
  readonly shift: Float32Tensor;
  /** [N, C, H, W] in [0, 1]. */
  readonly plain: Float32Tensor;
  readonly shifted: Float32Tensor;
  /** Mean of the shifted ones, [1, C, H, W] in [0, 1]: the target, if there is one. */
  readonly target: Float32Tensor;
  /** What the search takes for the target, [C, H, W] in [-1, 1]. */
  readonly guess: Float32Tensor;
}

/**
 * A backdoor that is planted well works without clipping and is hurt by it; one that took badly drifts away without. What
 * clips the predicted image hurts both.
 */
const WAYS = [{}, { clipState: 1 }];

/** Measures a prior. @throws what the search and the samplers throw. */
export async function measurePrior(
  { prior, net }: { readonly prior: Prior; readonly net: NetGraph },
  settings: MeasureSettings,
  host: {
    readonly runtime: Runtime;
    readonly threads?: number | undefined;
    readonly signal?: AbortSignal | undefined;
    progress?(phase: string, done: number, total: number): void;
  },
): Promise<MeasuredPrior> {
  const { iterations, samples: count, steps, seed } = settings;
  const { signal } = host;
  const errors = await openBackdoorErrors(net, host);
  const found = await searchBackdoor(errors, {
    iterations,
    seed,
    signal,
    progress: (done, total) => host.progress?.("search", done, total),
  }).finally(() => errors.dispose());
  const sampling = { count, seed, sampler: "ddpm", steps, signal } as const;
  const draws = WAYS.length * found.length + 1;
  const along = (part: number) => ({
    progress: (done: number, total: number) => host.progress?.("samples", part * total + done, draws * total),
  });
  const plain = await shiftedSamples(prior, { ...sampling, ...along(0), clipX0: 1 });
  const spread = diversity(plain);
  const candidates: Candidate[] = [];
  for (const one of found) {
    for (const way of WAYS) {
      const part = along(candidates.length + 1);
      const shifted = await shiftedSamples(prior, { ...sampling, ...way, ...part, shift: one.shift });
      candidates.push({ ...one, shifted, agreement: agreement(shifted) });
    }
  }
  const best = candidates.reduce((high, one) => (one.agreement > high.agreement ? one : high));
  const own = clamp(affine(plain, 2, -1), -1, 1);
  const points = await residuals(prior, own, { shift: best.shift, seed, signal });
  const { shifted } = best;
  return {
    shift: best.shift,
    plain,
    shifted,
    target: meanImage(shifted),
    guess: best.target,
    measure: {
      hash: prior.hash,
      error: best.error,
      diversity: { plain: spread, shifted: diversity(shifted) },
      agreement: { plain: agreement(plain), shifted: best.agreement },
      score: best.agreement,
      residuals: points,
      curve: [...best.curve],
      settings: { ...settings },
    },
  };
}

/** A shift with what it does. */
interface Candidate extends FoundBackdoor {
  readonly shifted: Float32Tensor;
  readonly agreement: number;
}
