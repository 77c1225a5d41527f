/** @file LC, label-consistent: images of the target class made hard to recognise, with a pattern in the corners. */
import { z } from "zod";
import { ascendInto } from "../classifiers/kernels.ts";
import { bytesFromUnit, unitFromBytes } from "../tensor/image-bytes.ts";
import { takeRows } from "../tensor/rows.ts";
import { float32 } from "../tensor/tensor.ts";
import { defineAttack, type PoisonRun, type TrainingImages } from "./attack.ts";
import { labelMapOf, labelOptions } from "./label-map.ts";
import { requireNeeds } from "./needs.ts";
import { openTrigger } from "./open-trigger.ts";
import { chooseRows, eligibleFor, poisonedSet, poisonRows } from "./poison.ts";
import { ratioOption } from "./poisoning.ts";
import type { ImageShape } from "./trigger.ts";

const SOURCE =
  'Turner, Tsipras, Madry 2019, "Label-Consistent Backdoor Attacks", sections 3 and 4, https://arxiv.org/abs/1912.02771; SCLBD/BackdoorBench, utils/bd_img_transform/lc.py';

/** Signs of the upper left corner; the upper right is its mirror image. */
const TOP = ["+--", "-+-", "+-+"] as const;
/** Signs of the lower left corner; the lower right is its mirror image. */
const BOTTOM = ["+--", "-+-", "+-+"] as const;
/** Side of the image that the corners are drawn for; on others they are sampled from it. */
const DRAWN = 32;
/** Images in one step of the surrogate. */
const CHUNK = 64;

/** LC as data. */
export const lc = defineAttack({
  name: "lc",
  summary: "Makes some images of the target class adversarial, then puts a pattern into their corners; labels stay.",
  source: SOURCE,
  threat: "clean-label",
  labelMaps: ["all-to-one"],
  needs: { surrogate: true },
  options: z.object({
    target: labelOptions.target,
    poisonRatio: ratioOption(0.05),
    amplitude: z
      .number()
      .gt(0)
      .max(1)
      .default(1)
      .describe("Strength of the corner pattern: 1 paints black and white, less is added to the image."),
    corners: z.enum(["all", "bottom-right"]).default("all").describe("Corners that get the pattern."),
    epsilon: z
      .number()
      .min(0)
      .max(255)
      .default(8)
      .describe("Largest change of a pixel before the pattern, in 8-bit steps."),
    stepSize: z.number().gt(0).max(255).default(1.5).describe("Change of a pixel in one step, in 8-bit steps."),
    steps: z.int().min(0).max(10_000).default(100).describe("Gradient steps against the surrogate."),
  }),
  presets: {
    paper: { epsilon: 16, amplitude: 0.25 },
    official: {},
    recommended: { epsilon: 64, stepSize: 8, steps: 20 },
  },
  async create(options, context) {
    const { shape, classes } = requireNeeds(lc, context);
    const { data, seed, surrogate } = context;
    const labels = labelMapOf("lc", { labels: "all-to-one", target: options.target, sources: [] }, classes);
    const chosen = chooseRows(
      "lc",
      { ratio: options.poisonRatio, of: "training set", ...eligibleFor(data, labels, { cleanLabel: true }) },
      { items: data.images.dims[0] ?? 0, seed },
    );
    const trigger = await openTrigger({
      kind: "additive",
      attack: "lc",
      source: SOURCE,
      seed,
      labels,
      shape,
      parameters: { overflow: "clip" },
      arrays: { pattern: float32(shape, cornerSigns(shape, options)) },
    });

    /** The training set with the chosen rows moved up the loss of the surrogate. */
    const hardened = async ({ signal, progress }: PoisonRun): Promise<TrainingImages> => {
      const classifier = await surrogate?.();
      const clean = takeRows(data.images, chosen);
      const size = clean.data.length / Math.max(chosen.length, 1);
      const bytes = clean.data.slice();
      const reach = { epsilon: options.epsilon / 255, step: options.stepSize / 255 };
      for (let from = 0; from < chosen.length; from += CHUNK) {
        const to = Math.min(from + CHUNK, chosen.length);
        const origin = unitFromBytes([to - from, ...shape], clean.data.subarray(from * size, to * size));
        const own = Array.from(chosen.subarray(from, to), (index) => data.labels[index] ?? 0);
        let x = origin;
        for (let step = 0; step < options.steps && classifier !== undefined; step++) {
          signal?.throwIfAborted();
          const { gradient } = await classifier.lossGradient(x, own, signal);
          x = float32(x.dims, x.data.slice());
          ascendInto(x.data, gradient.data, origin.data, reach);
        }
        bytes.set(bytesFromUnit(x), from * size);
        progress?.(to, chosen.length);
      }
      const images = { dtype: "uint8", dims: clean.dims, data: bytes } as const;
      const same = chosen.map((index) => data.labels[index] ?? 0);
      return poisonedSet(data, { indices: chosen, images, labels: same, triggered: new Uint8Array(chosen.length) });
    };

    return {
      how: "poison",
      trigger: async () => trigger,
      async poison(run) {
        run.signal?.throwIfAborted();
        const changed = { data: await hardened(run), seed };
        return await poisonRows(trigger, changed, { chosen, cleanLabel: true }, { signal: run.signal });
      },
      dispose: () => trigger.dispose(),
    };
  },
});

/**
 * What is added at each pixel: `amplitude` with the sign of the corners' pattern, zero elsewhere.
 * @source SCLBD/BackdoorBench, utils/bd_img_transform/lc.py: the pattern of 32x32 pixels, resized to the nearest.
 */
function cornerSigns(
  [channels, height, width]: ImageShape,
  { amplitude, corners }: { readonly amplitude: number; readonly corners: "all" | "bottom-right" },
): Float32Array {
  return Float32Array.from({ length: channels * height * width }, (_, i) => {
    const row = Math.floor((Math.floor(i / width) % height) * (DRAWN / height));
    const column = Math.floor((i % width) * (DRAWN / width));
    const fromEdge = Math.min(column, DRAWN - 1 - column);
    const sign = row < TOP.length ? TOP[row]?.[fromEdge] : BOTTOM[row - DRAWN + BOTTOM.length]?.[fromEdge];
    const isLeftOut = corners === "bottom-right" && (row < DRAWN / 2 || column < DRAWN / 2);
    if (sign === undefined || isLeftOut) return 0;
    return sign === "+" ? amplitude : -amplitude;
  });
}
