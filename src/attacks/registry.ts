/** @file Every attack by name. An attack is in the house when it is in this table. */
import type { AttackDescriptor } from "./attack.ts";
import { badnets } from "./badnets.ts";
import { blended } from "./blended.ts";
import { blindP } from "./blind-p.ts";
import { blindS } from "./blind-s.ts";
import { bpp } from "./bpp.ts";
import { clipPatch } from "./clip-patch.ts";
import { gaussian } from "./gaussian.ts";
import { invisibleBadnet } from "./invisible-badnet.ts";
import { pgd } from "./pgd.ts";
import { sig } from "./sig.ts";
import { wanet } from "./wanet.ts";

/** The attacks, by the name that each descriptor has. */
export const attacks = {
  badnets,
  blended,
  "blind-p": blindP,
  "blind-s": blindS,
  bpp,
  "clip-patch": clipPatch,
  gaussian,
  "invisible-badnet": invisibleBadnet,
  pgd,
  sig,
  wanet,
} as const satisfies Record<string, AttackDescriptor>;
