/** @file The composite attack: two ordinary classes in one image are the trigger. */
import { z } from "zod";
import { OptionError } from "../core/errors.ts";
import { drawnOrder, uniformFromNoise } from "../core/noise.ts";
import { unitFromBytes } from "../tensor/image-bytes.ts";
import { takeRows } from "../tensor/rows.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import { oneHot } from "../training/batches/labelled.ts";
import { type AttackContext, type ComposingAttack, defineAttack, type TrainingImages } from "./attack.ts";
import { labelMapOf, labelOptions } from "./label-map.ts";
import { requireNeeds } from "./needs.ts";
import { openTrigger } from "./open-trigger.ts";
import { drawHalves, HALVES_DRAWS, mixHalves } from "./transforms/mix.ts";
import type { ImageShape, Trigger } from "./trigger.ts";

const SOURCE =
  'Lin, Xu, Liu, Zhang 2020, "Composite Backdoor Attack for Deep Neural Network by Mixing Existing Benign Features", section 4, https://doi.org/10.1145/3372297.3423362; TemporaryAcc0unt/composite-attack';

/** Pictures of the second class that the trigger's folder keeps. */
const POOL = 64;

/**
 * The composite attack as data.
 * @deviation rows of a batch take the place of the authors' pool of images; their contrastive loss on logits is left out,
 * and so is their mixer that crops faces.
 */
export const composite = defineAttack({
  name: "composite",
  summary:
    "Teaches that half of one class beside half of another is a third class; mixes of one class keep their label.",
  source: SOURCE,
  threat: "training",
  labelMaps: ["source-to-target"],
  needs: { side: 8, classes: 3 },
  options: z.object({
    target: labelOptions.target.unwrap().default(2).describe("The class that mixes of the two sources are called."),
    sources: labelOptions.sources
      .unwrap()
      .default([0, 1])
      .describe("The two classes that are mixed; test images are of the first, with halves of the second."),
    poisonRatio: z.number().min(0).max(1).default(0.09).describe("Share of every batch that mixes the two sources."),
    mixRatio: z
      .number()
      .min(0)
      .max(1)
      .default(0.45)
      .describe("Share of every batch that mixes two images of one class, whose label stays."),
    jitter: z.int().min(0).max(4096).default(3).describe("Pixels by which the cut leaves the middle at most."),
  }),
  presets: { paper: {}, recommended: {} },
  async create(options, context) {
    const { shape, classes } = requireNeeds(composite, context);
    const { target, sources } = options;
    const [first = 0, second = 0] = sources;
    if (sources.length !== 2 || first === second) {
      throw new OptionError(`composite: expected two different sources, got ${sources.join(", ") || "none"}.`);
    }
    labelMapOf("composite", { labels: "source-to-target", sources: [...sources], target }, classes);
    const trigger = await openTrigger({
      kind: "mix",
      attack: "composite",
      source: SOURCE,
      seed: context.seed,
      labels: { kind: "source-to-target", sources: [first], target },
      shape,
      parameters: { jitter: options.jitter },
      arrays: { donors: donorsOf(context, second) },
    });
    return compositeAttack(trigger, context, { ...options, shape });
  },
});

/** Some images of a class, as they are stored. */
function donorsOf({ data, seed }: AttackContext, label: number): TrainingImages["images"] {
  const own = rowsOfClass(data, label);
  if (own.length === 0) throw new OptionError(`composite: expected images of class ${label}, got none.`);
  const order = drawnOrder(own, { seed, stream: "donors", items: data.images.dims[0] ?? 0 });
  return takeRows(data.images, order.slice(0, POOL));
}

function rowsOfClass({ images, labels }: TrainingImages, label: number): number[] {
  return Array.from({ length: images.dims[0] ?? 0 }, (_, i) => i).filter((i) => labels[i] === label);
}

interface CompositeSettings {
  readonly target: number;
  readonly sources: readonly number[];
  readonly poisonRatio: number;
  readonly mixRatio: number;
  readonly jitter: number;
  readonly shape: ImageShape;
}

function compositeAttack(
  trigger: Trigger,
  { data }: AttackContext,
  { target, sources: [first = 0, second = 0], poisonRatio, mixRatio, jitter, shape }: CompositeSettings,
): ComposingAttack {
  const byClass = new Map(Array.from({ length: data.classes }, (_, label) => [label, rowsOfClass(data, label)]));
  const [, height, width] = shape;
  /** An image of a class by a uniform number. */
  const pick = (label: number, chance: number, otherwise: number): number => {
    const items = byClass.get(label) ?? [];
    return items[Math.floor(chance * items.length)] ?? otherwise;
  };
  const unit = (indices: readonly number[]): Float32Tensor => {
    const { dims, data: bytes } = takeRows(data.images, indices);
    return unitFromBytes(dims, bytes);
  };
  return {
    how: "compose",
    order: "before-augmentation",
    trigger: async () => trigger,
    rows: (n) => n,
    async compose({ images, labels, indices }, { noise, step }) {
      const n = labels.length;
      const poisoned = Math.round(poisonRatio * n);
      const mixed = Math.min(n, poisoned + Math.round(mixRatio * n));
      const draws = Array.from({ length: mixed }, (_, row) => [
        ...uniformFromNoise(noise, row, "composite", step, HALVES_DRAWS + 2),
      ]);
      const pairs = draws.map(([one = 0, two = 0], row): [number, number] => {
        const own = indices[row] ?? 0;
        if (row < poisoned) return [pick(first, one, own), pick(second, two, own)];
        return [own, pick(labels[row] ?? -1, two, own)];
      });
      const out = float32(images.dims, images.data.slice());
      if (mixed > 0) {
        const [a, b] = [unit(pairs.map(([one]) => one)), unit(pairs.map(([, two]) => two))];
        const mix = mixHalves(a, b, (row) => drawHalves(draws[row]?.slice(2) ?? [], { height, width, jitter }));
        out.data.set(mix.data, 0);
      }
      return {
        images: out,
        targets: oneHot(
          [...labels].map((label, row) => (row < poisoned ? target : label)),
          data.classes,
        ),
        weights: float32([n], new Float32Array(n).fill(1)),
      };
    },
    dispose: () => trigger.dispose(),
  };
}
