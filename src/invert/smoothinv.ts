/**
 * @file SmoothInv: a trigger from a single clean image. The classifier is made robust first, by averaging over noisy
 * copies (each denoised by a diffusion model, if asked), because perturbations that fool a robust classifier look like the
 * trigger, and not like noise.
 *
 * | here         | paper             |
 * |--------------|-------------------|
 * | eps          | epsilon           |
 * | copies       | N                 |
 * | denoise      | w/ diffusion      |
 */
import { z } from "zod";
import { requireWhiteBox } from "../classifiers/white-box.ts";
import { OptionError } from "../core/errors.ts";
import { indexForSigma01, sigma01 } from "../diffusion/schedules.ts";
import { defineInverter, type InverterContext } from "./inverter.ts";
import { needGradients } from "./needs.ts";
import { descentOptions, invertFromSingleImages, type Robustified } from "./single-image.ts";

/** Pixels of one run of a denoiser with its gradient: more are no faster, and take long to prepare. */
const PIXELS_PER_RUN = 16_384;

const published = { copies: 40, steps: 400 };

/** The radii and deviations of the authors' main_eval.py. Of each start image the best of them counts. */
const evaluated = [
  { ...published, eps: 5, sigma: 0.12 },
  { ...published, eps: 5, sigma: 0.25 },
  { ...published, eps: 5, sigma: 0.5 },
  { ...published, eps: 10, sigma: 0.12 },
  { ...published, eps: 10, sigma: 0.25 },
  { ...published, eps: 10, sigma: 0.5 },
] as const;

/** SmoothInv as data. */
export const smoothInv = defineInverter({
  name: "smoothinv",
  summary: "Perturbs one clean image towards each class, by projected descent on the classifier smoothed over noise.",
  source:
    'Sun and Kolter 2023, "Single Image Backdoor Inversion via Robust Smoothed Classifiers", section 3 and appendices B-E, https://arxiv.org/abs/2303.00215; locuslab/smoothinv, smoothinv.py, DRM.py, main_eval.py',
  options: z.object({
    ...descentOptions,
    sigma: z
      .number()
      .gt(0)
      .max(10)
      .default(0.12)
      .describe("Deviation of the noise of each copy, in [0, 1] pixel units."),
    copies: z.int().min(1).max(1000).default(4).describe("Noisy copies whose probabilities are averaged in each step."),
    denoise: z
      .boolean()
      .default(false)
      .describe(
        "Whether each copy is denoised by the prior first, in one call of its net, which gradients pass through.",
      ),
  }),
  presets: {
    paper: [...evaluated, { ...published, eps: 5, sigma: 1 }, { ...published, eps: 10, sigma: 1 }],
    official: evaluated,
    recommended: [{ eps: 2, sigma: 0.12, copies: 4, steps: 60 }],
  },
  statistic: "success",
  needs: { prior: false },
  async create({ denoise, ...options }, context) {
    const robustified = denoise ? await denoised(options, context) : plain(options, context);
    return {
      invert: (request, run) => invertFromSingleImages("smoothinv", request, { ...options, robustified, context, run }),
      dispose: async () => {
        if (denoise) await robustified.classifier.dispose();
      },
    };
  },
});

function plain({ sigma, copies }: Omit<Robustified, "classifier">, context: InverterContext): Robustified {
  return { classifier: needGradients("smoothinv", context), sigma, copies };
}

/**
 * The classifier behind the prior's one-shot denoiser, at the first index that has at least as much noise as asked for; the
 * noise is then that of the index. @throws OptionError without a prior that is a graph.
 */
async function denoised(
  { sigma, copies }: Omit<Robustified, "classifier">,
  { classifier, prior }: InverterContext,
): Promise<Robustified> {
  const own = requireWhiteBox("smoothinv", classifier);
  if (prior?.denoiser === undefined) {
    const got = prior === undefined ? "none" : "one that is no graph";
    throw new OptionError(
      `smoothinv: expected a diffusion prior for the option "denoise", got ${got}. Do give one with --prior, or set denoise=false.`,
    );
  }
  const index = indexForSigma01(prior.schedule, sigma);
  const { height, width } = prior.dims;
  const batch = Math.max(1, Math.floor(PIXELS_PER_RUN / (height * width)));
  const behind = await own.behind(await prior.denoiser(index), batch);
  return { classifier: behind, sigma: sigma01(prior.schedule, index), copies };
}
