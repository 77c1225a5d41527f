/**
 * @file One smooth warp of bounded reach for a few images at once, for each class: what an additive search cannot express.
 * Half a pixel of it moves hardly any image of a clean model, and all images of one that was trained on warps.
 */
import { z } from "zod";

import { concatRows, rowsOf, takeRows } from "../tensor/rows.ts";
import { elementCount } from "../tensor/shape.ts";
import { startDescent, universalOptions } from "./descent.ts";
import { stepInGroups } from "./groups.ts";
import { defineInverter } from "./inverter.ts";
import { checkRequest, needGradients, sourcesOf } from "./needs.ts";
import { measured } from "./trigger.ts";
import { controlGradient, controlsOver, fieldGradient, fieldOf, warpImages } from "./warp.ts";

/** Universal warps as data. */
export const universalWarp = defineInverter({
  name: "universal-warp",
  summary: "Finds one smooth warp of bounded reach that moves several clean images to each class.",
  source:
    'Nguyen and Tran 2021, "WaNet - Imperceptible Warping-based Backdoor Attack", section 3.2, https://arxiv.org/abs/2102.10369 (the field that is searched for); the descent is that of Sun and Kolter 2023, algorithm 1, https://arxiv.org/abs/2303.00215',
  options: z.object({
    reach: z
      .number()
      .gt(0)
      .max(1e3)
      .default(0.5)
      .describe("Most displacement in pixels along an axis: the root of its mean square over the control points."),
    grid: z.int().min(2).max(64).default(4).describe("Control points along an axis."),
    ...universalOptions,
  }),
  presets: { recommended: [{}] },
  statistic: "success",
  needs: { prior: false },
  async create(options, context) {
    const classifier = needGradients("universal-warp", context);
    const { reach, grid, steps, images: count } = options;
    return {
      async *invert(given, run) {
        const request = await checkRequest("universal-warp", given, { context, run });
        const [, ...dims] = request.images.dims;
        const [, height = 1, width = 1] = dims;
        const controls = controlsOver(grid, [height, width]);
        const size = 2 * grid * grid;
        const eps = reach * Math.sqrt(size);
        const ended = stepInGroups(sourcesOf(request, count), {
          values: count * elementCount(dims),
          steps,
          run,
          begin: ({ target, sources }) => ({
            target,
            sources,
            images: takeRows(request.images, sources),
            descent: startDescent(size, { ...options, eps, rate: options.rate * eps }),
            losses: [] as number[],
          }),
          async step(group, step) {
            const fields = group.map(({ descent }) => fieldOf(controls, descent.change));
            const warped = group.map(({ images }, i) => warpImages(images, fields[i] ?? images));
            const targets = group.flatMap(({ sources, target }) => sources.map(() => target));
            const { losses, gradient } = await classifier.lossGradient(concatRows(warped), targets, run.signal);
            let from = 0;
            for (const [i, { images, sources, descent, losses: own }] of group.entries()) {
              const to = from + sources.length;
              const byField = fieldGradient(images, fields[i] ?? images, rowsOf(gradient, from, to));
              own.push(losses.data.subarray(from, to).reduce((sum, value) => sum + value, 0) / sources.length);
              descent.step(controlGradient(controls, byField), { step });
              from = to;
            }
          },
        });
        for await (const { search, complete } of ended) {
          const { target, sources, losses, descent } = search;
          const trigger = { kind: "warp", field: fieldOf(controls, descent.change) } as const;
          yield await measured({ target, sources, losses, complete, trigger }, request, { context, run });
        }
      },
      dispose: async () => {},
    };
  },
});
