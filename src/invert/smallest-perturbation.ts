/**
 * @file The smallest perturbation that moves most images to a class: a ball shrinks while it is large enough and grows
 * while it is not. A backdoor lowers the norm of its class; compare with the norms that clean models have class by class.
 */
import { z } from "zod";
import { takeRows } from "../tensor/rows.ts";
import { elementCount } from "../tensor/shape.ts";
import { normOf, scaleInto } from "../training/kernels.ts";
import { startDescent } from "./descent.ts";
import { drawRows } from "./draw.ts";
import { stepInGroups } from "./groups.ts";
import { defineInverter } from "./inverter.ts";
import { checkRequest, needGradients, sourcesOf } from "./needs.ts";
import { measured, perturbationOf } from "./trigger.ts";
import { universalAnswers } from "./universal.ts";

/** The smallest perturbation as data. */
export const smallestPerturbation = defineInverter({
  name: "smallest-perturbation",
  summary: "Finds the smallest perturbation that moves most clean images to each class.",
  source:
    'Rony et al. 2019, "Decoupling Direction and Norm for Efficient Gradient-Based L2 Adversarial Attacks and Defenses", algorithm 1, https://arxiv.org/abs/1811.09600, for many images at once',
  options: z.object({
    images: z
      .int()
      .min(1)
      .max(10_000)
      .default(64)
      .describe("How many of the given images it learns from: the first that do not show the class."),
    batch: z.int().min(1).max(1000).default(8).describe("Images of each step, drawn from these."),
    share: z.number().gt(0).max(1).default(0.9).describe("Share of a step's images from which on the ball shrinks."),
    start: z
      .number()
      .gt(0)
      .max(1e4)
      .default(2)
      .describe("Radius of the ball at first, L2 over all pixels and channels."),
    factor: z.number().gt(0).lt(1).default(0.05).describe("By how much of itself the radius shrinks or grows a step."),
    steps: z
      .int()
      .min(1)
      .max(100_000)
      .default(120)
      .describe("Steps of the descent; the rate halves after three quarters."),
    rate: z.number().gt(0).max(10).default(0.1).describe("Length of a step at first, as a share of the radius."),
    momentum: z.number().min(0).lt(1).default(0.9).describe("Share of the last step that the next one keeps."),
  }),
  presets: { recommended: [{ images: 64, batch: 8, steps: 120 }] },
  statistic: "l2",
  needs: { prior: false },
  async create(options, context) {
    const classifier = needGradients("smallest-perturbation", context);
    const { images: count, start, steps } = options;
    return {
      async *invert(given, run) {
        const request = await checkRequest("smallest-perturbation", given, { context, run });
        const [, ...dims] = request.images.dims;
        const size = elementCount(dims);
        const ended = stepInGroups(sourcesOf(request, count), {
          values: options.batch * size,
          steps,
          run,
          begin: ({ target, sources }) => ({
            target,
            sources,
            descent: startDescent(size, { ...options, eps: start, rate: options.rate * start }),
            radii: [start],
            losses: [] as number[],
          }),
          async step(group, step) {
            const tries = group.map(({ target, sources, descent: { change } }) => ({
              images: takeRows(request.images, drawRows(sources, options.batch, { noise: run.noise, step })),
              target,
              change,
            }));
            const answers = await universalAnswers(classifier, tries, run.signal);
            for (const [i, { descent, radii, losses, sources }] of group.entries()) {
              const { loss = Number.NaN, gradient, hits = 0 } = answers[i] ?? {};
              if (gradient === undefined) continue;
              const isLarge = hits >= options.share * Math.min(options.batch, sources.length);
              const radius = (radii.at(-1) ?? start) * (isLarge ? 1 - options.factor : 1 + options.factor);
              radii.push(radius);
              losses.push(loss);
              descent.step(gradient, { step, radius });
            }
          },
        });
        for await (const { search, complete } of ended) {
          const { target, sources, losses, descent, radii } = search;
          settleInto(descent.change, radii);
          const trigger = perturbationOf(descent.change, dims);
          yield await measured({ target, sources, losses, complete, trigger }, request, { context, run });
        }
      },
      dispose: async () => {},
    };
  },
});

/** Scales a perturbation to the radius that the ball has swung around at last: the geometric mean of the last quarter. */
function settleInto(change: Float32Array, radii: readonly number[]): void {
  const last = radii.slice(-Math.max(1, Math.round(radii.length / 4)));
  const radius = Math.exp(last.reduce((sum, value) => sum + Math.log(value), 0) / last.length);
  const length = normOf(change);
  if (length > 0) scaleInto(change, radius / length);
}
