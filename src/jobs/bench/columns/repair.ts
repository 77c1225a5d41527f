/** @file Repairs as columns. */
import type { RepairPlan } from "../../../bench/plan.ts";
import { OptionError } from "../../../core/errors.ts";
import { LEAST_IMAGES } from "../../../repair/repair.ts";
import { chooseRepair } from "../../repair/repair.ts";
import type { Column } from "./column.ts";

/** As many as `untrigger repair` takes. */
const CLEAN_IMAGES = 500;

/** @throws OptionError for an unknown repair, preset or option, one out of range, or too few clean images. */
export function repairColumn({ name, preset, options = {}, cleanImages = CLEAN_IMAGES }: RepairPlan): Column {
  const choice = chooseRepair({ method: name, preset, options });
  if (cleanImages < LEAST_IMAGES) {
    throw new OptionError(`${name}: expected at least ${LEAST_IMAGES} cleanImages, got ${cleanImages}.`);
  }
  return {
    name,
    needsPrior: false,
    precision: "f32",
    calibration: "none",
    searches: false,
    complete: async ({ clean }) => ({
      kind: "repair",
      name,
      preset: choice.preset,
      options: choice.options,
      clean: await clean(cleanImages),
    }),
  };
}
