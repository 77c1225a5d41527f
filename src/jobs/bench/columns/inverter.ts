/** @file Inverters as columns. */
import type { InverterPlan } from "../../../bench/plan.ts";
import { OptionError } from "../../../core/errors.ts";
import { type ChosenInverter, chooseInverters } from "../../scan/confirm.ts";
import { MOST_PROBE } from "../../scan/split-images.ts";
import type { Column } from "./column.ts";

/** @throws OptionError for an unknown inverter, preset or option, or one out of range. */
export function inverterColumn(plan: InverterPlan): Column {
  const { name, preset, cleanImages = MOST_PROBE } = plan;
  // What depends on the size of images is chosen again when that is known.
  const { descriptor, options } = chosenFor(plan, [cleanImages]);
  return {
    name,
    needsPrior: descriptor.needs.prior || options.some((set) => set["denoise"] === true),
    precision: "f32",
    calibration: "none",
    searches: true,
    async complete({ shape, classes, clean }) {
      const asked = [...new Set(plan.classes ?? Array.from({ length: classes }, (_, k) => k))];
      const unknown = asked.find((k) => k >= classes);
      if (unknown !== undefined) {
        throw new OptionError(
          `${name}: expected classes from 0 to ${classes - 1}, as the data have them, got ${unknown}.`,
        );
      }
      const sets = chosenFor(plan, [cleanImages, ...shape]).options.map((set) => ({ ...set }));
      return { kind: "inverter", name, preset: preset ?? null, sets, classes: asked, clean: await clean(cleanImages) };
    },
  };
}

function chosenFor({ name, preset, options = {} }: InverterPlan, dims: readonly number[]): ChosenInverter {
  const [chosen] = chooseInverters({ methods: [name], preset, options }, { dims, prior: false });
  return chosen as ChosenInverter;
}
