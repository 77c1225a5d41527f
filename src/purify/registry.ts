/** @file Every purifier by name. A method is in the house when it is in this table. */
import { diffpure } from "./diffpure.ts";
import type { PurifierDescriptor } from "./purifier.ts";
import { sampdetox } from "./sampdetox.ts";
import { sancdifi } from "./sancdifi.ts";
import { shrinkPad } from "./shrink-pad.ts";
import { zip } from "./zip.ts";
import { zipTransform } from "./zip-transform.ts";

/** The purifiers, by the name that each descriptor has. */
export const purifiers = {
  diffpure,
  sampdetox,
  sancdifi,
  "shrink-pad": shrinkPad,
  zip,
  "zip-transform": zipTransform,
} as const satisfies Record<string, PurifierDescriptor>;
