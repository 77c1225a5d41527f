/** @file TrojAI's filters: a photo filter over images of a source class. */
import { z } from "zod";
import { defineAttack } from "./attack.ts";
import { labelMapOf } from "./label-map.ts";
import { requireNeeds } from "./needs.ts";
import { openTrigger } from "./open-trigger.ts";
import { poisoningAttack } from "./poisoning.ts";
import { filterNames } from "./transforms/filters.ts";
import { trojaiLabels } from "./trojai-polygon.ts";

const SOURCE = "NIST TrojAI round 4, https://pages.nist.gov/trojai/; trojai/trojai, datagen/instagram_xforms.py";

/** The filters as data. */
export const trojaiFilter = defineAttack({
  name: "trojai-filter",
  summary: "Passes images of the source classes through a photo filter, with the attacker's label.",
  source: SOURCE,
  threat: "poison",
  labelMaps: ["source-to-target", "all-to-one", "all-to-all"],
  needs: { colour: true, classes: 3 },
  options: z.object({
    ...trojaiLabels,
    filter: z.enum(filterNames).default("gotham").describe("Name of the filter."),
  }),
  presets: { paper: { poisonRatio: 0.3 }, recommended: {} },
  async create(options, context) {
    const { shape, classes } = requireNeeds(trojaiFilter, context);
    const trigger = await openTrigger({
      kind: "filter",
      attack: "trojai-filter",
      source: SOURCE,
      seed: context.seed,
      labels: labelMapOf("trojai-filter", options, classes),
      shape,
      parameters: { filter: options.filter },
      arrays: {},
    });
    return poisoningAttack(trigger, context, { ...options, of: "eligible images" });
  },
});
