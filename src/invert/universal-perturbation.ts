/**
 * @file One perturbation of bounded size for a few images at once, for each class. Cheap, and with a reference classifier a
 * good first look: natural perturbations carry over to any classifier, a trigger works on the backdoored one alone. Without
 * one its success says little, because some classes are easy to reach in every model.
 */
import { z } from "zod";
import { takeRows } from "../tensor/rows.ts";
import { elementCount } from "../tensor/shape.ts";
import { startDescent, universalOptions } from "./descent.ts";
import { stepInGroups } from "./groups.ts";
import { defineInverter } from "./inverter.ts";
import { checkRequest, needGradients, sourcesOf } from "./needs.ts";
import { measured, perturbationOf } from "./trigger.ts";
import { universalAnswers } from "./universal.ts";

/** Universal perturbations as data. */
export const universalPerturbation = defineInverter({
  name: "universal-perturbation",
  summary: "Finds one perturbation of bounded size that moves several clean images to each class.",
  source:
    'Moosavi-Dezfooli et al. 2017, "Universal adversarial perturbations", https://arxiv.org/abs/1610.08401 (the aim); the descent is that of Sun and Kolter 2023, algorithm 1, https://arxiv.org/abs/2303.00215',
  options: z.object({
    eps: z
      .number()
      .gt(0)
      .max(1e4)
      .default(2)
      .describe("Most L2 norm of the perturbation over all pixels and channels."),
    ...universalOptions,
  }),
  presets: { recommended: [{ eps: 2, images: 16, steps: 40 }] },
  statistic: "success",
  needs: { prior: false },
  async create(options, context) {
    const classifier = needGradients("universal-perturbation", context);
    const { eps, steps, images: count } = options;
    return {
      async *invert(given, run) {
        const request = await checkRequest("universal-perturbation", given, { context, run });
        const [, ...dims] = request.images.dims;
        const size = elementCount(dims);
        const ended = stepInGroups(sourcesOf(request, count), {
          values: count * size,
          steps,
          run,
          begin: ({ target, sources }) => ({
            target,
            sources,
            images: takeRows(request.images, sources),
            descent: startDescent(size, { ...options, rate: options.rate * eps }),
            losses: [] as number[],
          }),
          async step(group, step) {
            const tries = group.map(({ images, target, descent: { change } }) => ({ images, target, change }));
            const answers = await universalAnswers(classifier, tries, run.signal);
            for (const [i, { loss, gradient }] of answers.entries()) {
              group[i]?.losses.push(loss);
              group[i]?.descent.step(gradient, { step });
            }
          },
        });
        for await (const { search, complete } of ended) {
          const { target, sources, losses, descent } = search;
          const trigger = perturbationOf(descent.change, dims);
          yield await measured({ target, sources, losses, complete, trigger }, request, { context, run });
        }
      },
      dispose: async () => {},
    };
  },
});
