/** @file Every inverter by name. A method is in the house when it is in this table. */
import type { InverterDescriptor } from "./inverter.ts";
import { neuralCleanse } from "./neural-cleanse.ts";
import { pixelBackdoor } from "./pixel-backdoor.ts";
import { plainAdv } from "./plain-adv.ts";
import { smallestPerturbation } from "./smallest-perturbation.ts";
import { smoothInv } from "./smoothinv.ts";
import { topoTrigger } from "./topo-trigger.ts";
import { universalPerturbation } from "./universal-perturbation.ts";
import { universalWarp } from "./universal-warp.ts";

/** The inverters, by the name that each descriptor has. */
export const inverters = {
  "neural-cleanse": neuralCleanse,
  "pixel-backdoor": pixelBackdoor,
  "plain-adv": plainAdv,
  "smallest-perturbation": smallestPerturbation,
  smoothinv: smoothInv,
  "topo-trigger": topoTrigger,
  "universal-perturbation": universalPerturbation,
  "universal-warp": universalWarp,
} as const satisfies Record<string, InverterDescriptor>;
