/** @file Scans as columns: the whole detector, with references that were made ahead. */
import type { ScanPlan } from "../../../bench/plan.ts";
import { OptionError } from "../../../core/errors.ts";
import { formatDims, sameDims } from "../../../tensor/shape.ts";
import { type ChosenInverter, chooseInverters } from "../../scan/confirm.ts";
import { MOST_PROBE } from "../../scan/split-images.ts";
import type { Column } from "./column.ts";

/** As `untrigger scan` has them. */
const defaults = { inverters: ["smoothinv"], falsePositiveRate: 0.05 };

/** @throws OptionError for an unknown inverter. */
export function scanColumn(plan: ScanPlan): Column {
  const { references: path, cleanImages = MOST_PROBE, falsePositiveRate = defaults.falsePositiveRate } = plan;
  // What depends on the size of images is chosen again when that is known.
  chosenFor(plan, [cleanImages]);
  return {
    name: "scan",
    needsPrior: false,
    precision: "f32",
    calibration: "none",
    searches: true,
    async complete({ shape, classes, clean, host }) {
      const { sha256, ...like } = await host.references(path);
      if (!sameDims(like.shape, shape) || like.classes !== classes) {
        throw new OptionError(
          `scan: expected references of ${classes} classes and images of ${formatDims(shape)}, got ${path} with ${like.classes} and ${formatDims(like.shape)}. Do make them from these data: untrigger scan references.`,
        );
      }
      return {
        kind: "scan",
        name: "scan",
        preset: null,
        references: { path, sha256 },
        inverters: chosenFor(plan, [cleanImages, ...shape]).map(({ descriptor, options }) => ({
          name: descriptor.name,
          sets: options.map((set) => ({ ...set })),
        })),
        falsePositiveRate,
        clean: await clean(cleanImages),
      };
    },
  };
}

function chosenFor({ inverters = defaults.inverters }: ScanPlan, dims: readonly number[]): ChosenInverter[] {
  return chooseInverters({ methods: inverters, options: {} }, { dims, prior: false });
}
