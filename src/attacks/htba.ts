/** @file HTBA, hidden trigger: the poison shows no trigger, only features of triggered images. */
import { z } from "zod";
import { requireFeatures } from "../classifiers/features.ts";
import { OptionError } from "../core/errors.ts";
import { createNoise, drawnOrder, uniforms } from "../core/noise.ts";
import { bytesFromUnit, unitFromBytes } from "../tensor/image-bytes.ts";
import { resize } from "../tensor/resize.ts";
import { takeRows } from "../tensor/rows.ts";
import { float32 } from "../tensor/tensor.ts";
import { defineAttack } from "./attack.ts";
import { labelMapOf, labelOptions } from "./label-map.ts";
import { requireNeeds } from "./needs.ts";
import { openTrigger } from "./open-trigger.ts";
import { collide } from "./optimise/collide.ts";
import { sideOf } from "./paint.ts";
import { chooseRows, eligibleFor, indexIds } from "./poison.ts";
import { ratioOption } from "./poisoning.ts";

const SOURCE =
  'Saha, Subramanya, Pirsiavash 2020, "Hidden Trigger Backdoor Attacks", section 3, https://arxiv.org/abs/1910.00033; UMBCvision/Hidden-Trigger-Backdoor-Attacks';

/** Cells of random colours along a side of the patch. */
const CELLS = 4;
/** Side of the patch at 32 pixels. */
const SIDE = 8;
/** Images that collide at a time. */
const CHUNK = 50;

/** HTBA as data. */
export const htba = defineAttack({
  name: "htba",
  summary:
    "Gives some images of the target class the features of triggered images of another; trains the last layer only.",
  source: SOURCE,
  threat: "clean-label",
  labelMaps: ["source-to-target"],
  needs: { surrogate: true, classes: 2, side: 8 },
  published: {
    where: "two classes of ImageNet, AlexNet, by the authors of SmoothInv",
    cleanAccuracy: 0.95,
    attackSuccess: 0.54,
  },
  options: z.object({
    target: labelOptions.target,
    sources: z.array(z.int().min(0).max(1_000_000)).min(1).default([1]).describe("Classes that are attacked."),
    poisonRatio: ratioOption(0.05),
    size: z
      .union([z.literal("auto"), z.int().min(1).max(4096)])
      .default("auto")
      .describe("Side of the patch in pixels; auto is 8 at 32 pixels, and in proportion."),
    epsilon: z.number().gt(0).max(255).default(16).describe("Largest change of a pixel, in steps of 8-bit pixels."),
    iterations: z.int().min(1).max(1_000_000).default(5000).describe("Gradient steps on one batch of poison at most."),
    update: z
      .enum(["gradient", "sign"])
      .default("gradient")
      .describe("Steps along the gradient, or of equal length for every pixel along its sign."),
    step: z
      .number()
      .gt(0)
      .max(255)
      .default(0.01)
      .describe("Length of the first steps: the factor of the gradient, or a change of pixels in [0, 1]."),
    halving: z.int().min(1).max(1_000_000).default(1000).describe("Steps after which they become half as long."),
    enough: z.number().min(0).default(10).describe("Largest squared distance of features at which a batch is done."),
  }),
  presets: {
    paper: {},
    recommended: { iterations: 100, update: "sign", step: 0.008, halving: 40, enough: 0 },
  },
  async create(options, context) {
    const { shape, classes } = requireNeeds(htba, context);
    const { data, seed, surrogate } = context;
    const items = data.images.dims[0] ?? 0;
    const labels = labelMapOf("htba", { ...options, labels: "source-to-target" }, classes);
    const chosen = chooseRows(
      "htba",
      { ratio: options.poisonRatio, of: "training set", ...eligibleFor(data, labels, { cleanLabel: true }) },
      { items, seed },
    );
    const attacked = Array.from({ length: items }, (_, i) => i).filter((i) =>
      options.sources.includes(data.labels[i] ?? -1),
    );
    const sources = drawnOrder(attacked, { seed, stream: "sources", items });
    if (sources.length === 0) {
      throw new OptionError(`htba: expected training images of class ${options.sources.join(", ")}, got none.`);
    }
    const trigger = await openTrigger({
      kind: "sticker",
      attack: "htba",
      source: SOURCE,
      seed,
      labels,
      shape,
      parameters: { margin: 0, blend: 1 },
      arrays: colouredPatch(seed, shape[0], sideOf(options.size, shape, SIDE)),
    });
    return {
      how: "poison",
      victim: { start: "surrogate", train: "last-layer" },
      trigger: async () => trigger,
      async poison({ signal, progress }) {
        signal?.throwIfAborted();
        const given = await surrogate?.();
        if (given === undefined) throw new OptionError("internal: htba without a surrogate");
        const classifier = requireFeatures("htba", given);
        const unit = (rows: ArrayLike<number>) => {
          const taken = takeRows(data.images, rows);
          return unitFromBytes(taken.dims, taken.data);
        };
        const clean = takeRows(data.images, chosen);
        const bytes = clean.data.slice();
        const size = clean.data.length / Math.max(chosen.length, 1);
        for (let from = 0; from < chosen.length; from += CHUNK) {
          const to = Math.min(from + CHUNK, chosen.length);
          // Where there are fewer source images than poisons they are triggered again, each time elsewhere.
          const drawn = Array.from({ length: to - from }, (_, i) => sources[(from + i) % sources.length] ?? 0);
          const noise = createNoise(
            seed,
            indexIds(drawn.map((index, i) => index + items * Math.floor((from + i) / sources.length))),
          );
          const triggered = await trigger.apply(unit(drawn), { noise, signal });
          const collided = await collide(classifier, unit(chosen.subarray(from, to)), {
            ...options,
            epsilon: options.epsilon / 255,
            rate: options.step,
            triggered,
            signal,
          });
          bytes.set(bytesFromUnit(collided), from * size);
          progress?.(to, chosen.length);
        }
        return {
          indices: chosen,
          images: { dtype: "uint8", dims: clean.dims, data: bytes },
          labels: chosen.map((index) => data.labels[index] ?? 0),
          triggered: new Uint8Array(chosen.length).fill(1),
        };
      },
      dispose: () => trigger.dispose(),
    };
  },
});

/** A square of 4x4 random colours, enlarged smoothly. */
function colouredPatch(seed: number, channels: number, side: number) {
  // Three planes always, so that the first is the same on grey images.
  const cells = uniforms(seed, "patch", 0, 3 * CELLS * CELLS).subarray(0, channels * CELLS * CELLS);
  const colours = float32([1, channels, CELLS, CELLS], Float32Array.from(cells));
  const { data } = resize(colours, side, side, { method: "bilinear" });
  const dims = [channels, side, side];
  return { mask: float32(dims, new Float32Array(data.length).fill(1)), pattern: float32(dims, data) };
}
