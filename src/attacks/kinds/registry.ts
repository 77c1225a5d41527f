/** @file Every kind of trigger by name. A kind is in the house when it is in this table. */
import type { TriggerKind } from "../trigger.ts";
import { additive } from "./additive.ts";
import { filter } from "./filter.ts";
import { mix } from "./mix.ts";
import { network } from "./network.ts";
import { patch } from "./patch.ts";
import { quantise } from "./quantise.ts";
import { reflection } from "./reflection.ts";
import { spectrum } from "./spectrum.ts";
import { sticker } from "./sticker.ts";
import { sunrise } from "./sunrise.ts";
import { warp } from "./warp.ts";

/** The kinds, by the name that each has. */
export const triggerKinds = {
  additive,
  filter,
  mix,
  network,
  patch,
  quantise,
  reflection,
  spectrum,
  sticker,
  sunrise,
  warp,
} as const satisfies Record<string, TriggerKind>;

/** The name of a kind. */
export type TriggerKindName = keyof typeof triggerKinds;
