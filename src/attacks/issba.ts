/** @file ISSBA: a secret that an encoder hides in every image in another way. */
import { z } from "zod";
import { uniforms } from "../core/noise.ts";
import { graphToBytes } from "../graph/to-model.ts";
import { defineAttack } from "./attack.ts";
import { labelMapOf, labelOptions } from "./label-map.ts";
import { requireNeeds } from "./needs.ts";
import { encoderGraph, trainEncoder } from "./networks/hide-secret.ts";
import { openTrigger } from "./open-trigger.ts";
import { chooseRows, eligibleFor } from "./poison.ts";
import { poisoningAttack, ratioOption } from "./poisoning.ts";

const SOURCE =
  'Li et al. 2021, "Invisible Backdoor Attack with Sample-Specific Triggers", section 3, https://arxiv.org/abs/2012.03816; THUYimingLi/BackdoorBox, core/attacks/ISSBA.py';

/** ISSBA as data. */
export const issba = defineAttack({
  name: "issba",
  summary:
    "Hides one secret in some training images with an encoder trained for it, and gives them the attacker's label.",
  source: SOURCE,
  threat: "poison",
  labelMaps: ["all-to-one", "all-to-all", "source-to-target"],
  needs: { runtime: true, side: 8 },
  published: { where: "ImageNet-200, ResNet-18, the authors' repository", cleanAccuracy: 0.855, attackSuccess: 0.995 },
  options: z.object({
    ...labelOptions,
    poisonRatio: ratioOption(0.1),
    bits: z.int().min(1).max(1024).default(20).describe("Length of the secret."),
    spatialTransformer: z
      .boolean()
      .default(true)
      .describe("Whether the decoder first moves the image by an affine map that it chooses."),
    encoderSteps: z
      .int()
      .min(0)
      .max(10_000_000)
      .default(30_000)
      .describe("Steps in which encoder and decoder are trained."),
    encoderBatch: z.int().min(1).max(4096).default(32).describe("Images of one such step."),
    encoderRate: z.number().gt(0).max(1).default(1e-4).describe("Rate of Adam in these steps."),
    secretFirst: z
      .number()
      .min(0)
      .max(1)
      .default(0.1)
      .describe("Share of these steps in which only the secret counts, not the image."),
    imageWeight: z.number().min(0).max(1e6).default(2).describe("Weight of the mean squared change of pixels."),
    secretWeight: z.number().gt(0).max(1e6).default(1.5).describe("Weight of the cross-entropy of the secret's bits."),
  }),
  presets: {
    paper: { bits: 100 },
    official: { poisonRatio: 0.05, target: 1 },
    recommended: {
      bits: 8,
      spatialTransformer: false,
      encoderSteps: 400,
      encoderBatch: 16,
      encoderRate: 1e-3,
      secretFirst: 0.3,
      imageWeight: 20,
    },
  },
  async create(options, context) {
    const { shape, classes } = requireNeeds(issba, context);
    const { data, seed } = context;
    const labels = labelMapOf("issba", options, classes);
    // Said before the training, which takes minutes.
    const share = { ratio: options.poisonRatio, of: "training set", ...eligibleFor(data, labels) } as const;
    chooseRows("issba", share, { items: data.images.dims[0] ?? 0, seed });
    const tensors = await trainEncoder(context, shape, options);
    const secret = Array.from(uniforms(seed, "secret", 0, options.bits), (u) => (u < 0.5 ? 0 : 1));
    const { spatialTransformer } = options;
    const trigger = await openTrigger(
      {
        kind: "network",
        attack: "issba",
        source: SOURCE,
        seed,
        labels,
        shape,
        parameters: {},
        arrays: {},
        model: graphToBytes(encoderGraph(tensors, shape, { secret, spatialTransformer })),
      },
      context,
    );
    return poisoningAttack(trigger, context, options);
  },
});
