/** @file What `untrigger/invert` offers: the inverters as data, and what is done with what they find. */
export {
  defineInverter,
  type Inversion,
  type InversionRequest,
  type InversionRun,
  type Inverter,
  type InverterContext,
  type InverterDescriptor,
  type Preset,
  type PresetName,
  type ReconstructedTrigger,
  type Statistic,
  type TriggerNorms,
  type TriggerSuccess,
} from "./inverter.ts";
export { neuralCleanse } from "./neural-cleanse.ts";
export { type Outliers, outliersOf } from "./outliers.ts";
export { brightComponents, type Component } from "./persistence.ts";
export { pixelBackdoor } from "./pixel-backdoor.ts";
export { plainAdv } from "./plain-adv.ts";
export { inverters } from "./registry.ts";
export { smallestPerturbation } from "./smallest-perturbation.ts";
export { smoothInv } from "./smoothinv.ts";
export { topoTrigger } from "./topo-trigger.ts";
export { normsOf, stamp, successOf } from "./trigger.ts";
export { universalPerturbation } from "./universal-perturbation.ts";
export { universalWarp } from "./universal-warp.ts";
