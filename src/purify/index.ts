/** @file What `untrigger/purify` offers: the purifiers as data, and their building blocks. */
export { diffpure } from "./diffpure.ts";
export {
  definePurifier,
  type Preset,
  type PresetName,
  type Purified,
  type Purifier,
  type PurifierContext,
  type PurifierDescriptor,
} from "./purifier.ts";
export { purifiers } from "./registry.ts";
export { type RiseRun, riseSaliency } from "./rise.ts";
export { sampdetox } from "./sampdetox.ts";
export { sancdifi } from "./sancdifi.ts";
export { shrinkPad } from "./shrink-pad.ts";
export { zip } from "./zip.ts";
export { grayOperator, type LinearOperator, poolOperator, rangeOf } from "./zip-operators.ts";
export { zipTransform } from "./zip-transform.ts";
