/** @file TrojanNN: a patch that excites chosen neurons of a classifier. */
import { z } from "zod";
import { requireFeatures } from "../classifiers/features.ts";
import { OptionError } from "../core/errors.ts";
import { float32 } from "../tensor/tensor.ts";
import { defineAttack } from "./attack.ts";
import { labelMapOf, labelOptions } from "./label-map.ts";
import { requireNeeds } from "./needs.ts";
import { openTrigger } from "./open-trigger.ts";
import { drawImages } from "./optimise/draw-images.ts";
import { exciteFeatures, strongestFeatures } from "./optimise/excite.ts";
import { cornerOption, cornerPlace, paintPatch, sideOf, sizeOption } from "./paint.ts";
import { chooseRows, eligibleFor } from "./poison.ts";
import { poisoningAttack, ratioOption } from "./poisoning.ts";

const SOURCE =
  'Liu et al. 2018, "Trojaning Attack on Neural Networks", section 4, https://doi.org/10.14722/ndss.2018.23291; ain-soph/trojanzoo, trojanvision/attacks/backdoor/normal/trojannn.py';

/** TrojanNN as data. */
export const trojannn = defineAttack({
  name: "trojannn",
  summary: "Finds a patch that excites two neurons of a clean classifier, and poisons some training images with it.",
  source: SOURCE,
  threat: "poison",
  labelMaps: ["all-to-one", "all-to-all", "source-to-target"],
  needs: { surrogate: true },
  options: z.object({
    ...labelOptions,
    poisonRatio: ratioOption(0.1),
    size: sizeOption,
    corner: cornerOption,
    margin: z.int().min(0).max(4096).default(1).describe("Pixels between the patch and the edges of the image."),
    neurons: z.int().min(1).max(65_536).default(2).describe("Inputs of the last layer that the patch is to excite."),
    activation: z.number().gt(0).max(1e6).default(100).describe("The value that they are to reach."),
    iterations: z.int().min(1).max(1_000_000).default(1000).describe("Steps of Adam on the pixels of the patch."),
    step: z.number().gt(0).max(100).default(0.1).describe("Highest rate of Adam."),
    behind: z
      .enum(["black", "images"])
      .default("black")
      .describe("What the patch lies on while it is searched for: nothing, or 16 training images."),
  }),
  presets: {
    paper: { size: 8 },
    official: { margin: 0, corner: "top-left" },
    recommended: { iterations: 300, behind: "images" },
  },
  async create(options, context) {
    const { shape, classes } = requireNeeds(trojannn, context);
    const { data, seed, surrogate, signal } = context;
    const labels = labelMapOf("trojannn", options, classes);
    const side = sideOf(options.size, shape);
    const place = cornerPlace("trojannn", shape, { side, corner: options.corner, margin: options.margin });
    const share = { ratio: options.poisonRatio, of: "training set", ...eligibleFor(data, labels) } as const;
    chooseRows("trojannn", share, { items: data.images.dims[0] ?? 0, seed });
    const { mask } = paintPatch(shape, place, () => 1);
    const given = await surrogate?.();
    if (given === undefined) throw new OptionError("internal: trojannn without a surrogate");
    const classifier = requireFeatures("trojannn", given);
    const pattern = await exciteFeatures(classifier, {
      ...options,
      rate: options.step,
      features: strongestFeatures(classifier.lastLayer, options.neurons),
      behind:
        options.behind === "black" ? float32([1, ...shape]) : drawImages(context, BACKGROUNDS, { stream: "excite" }),
      mask,
      seed,
      signal,
      progress: (done, total) => context.progress?.(done, total),
    });
    const trigger = await openTrigger({
      kind: "patch",
      attack: "trojannn",
      source: SOURCE,
      seed,
      labels,
      shape,
      parameters: { blend: 1 },
      arrays: { mask, pattern },
    });
    return poisoningAttack(trigger, context, options);
  },
});

/** Training images that the patch is searched on. */
const BACKGROUNDS = 16;
