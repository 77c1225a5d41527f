/** @file TrojAI's polygon: a coloured shape on images of a source class. */
import { z } from "zod";
import { uniforms } from "../core/noise.ts";
import { float32 } from "../tensor/tensor.ts";
import { defineAttack } from "./attack.ts";
import { labelMapOf, labelOptions } from "./label-map.ts";
import { requireNeeds } from "./needs.ts";
import { openTrigger } from "./open-trigger.ts";
import { coverOption, poisoningAttack, ratioOption } from "./poisoning.ts";
import { drawPolygon, fillPolygon } from "./transforms/polygon.ts";

const SOURCE = "NIST TrojAI round 4, https://pages.nist.gov/trojai/; trojai/trojai, datagen/polygon_trigger.py";

/** Colours of the rounds: red, green, blue, yellow, cyan, magenta of level 200. */
const COLOURS = {
  red: [1, 0, 0],
  green: [0, 1, 0],
  blue: [0, 0, 1],
  yellow: [1, 1, 0],
  cyan: [0, 1, 1],
  magenta: [1, 0, 1],
} as const;
const LEVEL = 200 / 255;
const names = Object.keys(COLOURS) as (keyof typeof COLOURS)[];

/** The options of both TrojAI attacks: who is attacked, and how many of them. */
export const trojaiLabels = {
  ...labelOptions,
  labels: labelOptions.labels
    .unwrap()
    .default("source-to-target")
    .describe(labelOptions.labels.description ?? ""),
  sources: labelOptions.sources
    .unwrap()
    .default([1])
    .describe(labelOptions.sources.description ?? ""),
  poisonRatio: ratioOption(0.5, "eligible images"),
  coverRatio: coverOption,
} as const;

/**
 * The polygon as data.
 * @deviation polygons lie anywhere on the image, since no data set here says where its foreground is. On grey images the
 * colour is its strongest channel.
 */
export const trojaiPolygon = defineAttack({
  name: "trojai-polygon",
  summary: "Puts a coloured polygon anywhere onto images of the source classes, with the attacker's label.",
  source: SOURCE,
  threat: "poison",
  labelMaps: ["source-to-target", "all-to-one", "all-to-all"],
  needs: { classes: 3 },
  published: { where: "a TrojAI model of 38 classes, VGG-11, by the authors of SmoothInv", attackSuccess: 1 },
  options: z.object({
    ...trojaiLabels,
    vertices: z.int().min(3).max(64).default(4).describe("Corners of the polygon."),
    area: z.number().gt(0).max(0.5).default(0.06).describe("Area of the polygon's square, as a share of the image."),
    colour: z
      .enum(["random", ...names])
      .default("random")
      .describe("Colour of the polygon; random draws one from the seed."),
  }),
  presets: { paper: { poisonRatio: 0.3 }, recommended: { area: 0.1 } },
  async create(options, context) {
    const { shape, classes } = requireNeeds(trojaiPolygon, context);
    const [channels, height, width] = shape;
    const side = Math.max(2, Math.min(Math.round(Math.sqrt(options.area * height * width)), height, width));
    const [draw = 0] = uniforms(context.seed, "colour", 0, 1);
    const name = options.colour === "random" ? names[Math.floor(draw * names.length)] : options.colour;
    const colour = COLOURS[name ?? "red"];
    const filled = fillPolygon(drawPolygon(context.seed, options.vertices), side);
    const mask = float32([channels, side, side]);
    const pattern = float32([channels, side, side]);
    for (let c = 0; c < channels; c++) {
      mask.data.set(filled, c * side * side);
      pattern.data.fill(LEVEL * (channels === 3 ? (colour[c] ?? 1) : 1), c * side * side, (c + 1) * side * side);
    }
    const trigger = await openTrigger({
      kind: "sticker",
      attack: "trojai-polygon",
      source: SOURCE,
      seed: context.seed,
      labels: labelMapOf("trojai-polygon", options, classes),
      shape,
      parameters: { margin: 0, blend: 1 },
      arrays: { mask, pattern },
    });
    return poisoningAttack(trigger, context, { ...options, of: "eligible images" });
  },
});
