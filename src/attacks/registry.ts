/** @file Every attack by name. An attack is in the house when it is in this table. */
import type { AttackDescriptor } from "./attack.ts";
import { badnets } from "./badnets.ts";
import { blended } from "./blended.ts";
import { blindP } from "./blind-p.ts";
import { blindPStar } from "./blind-p-star.ts";
import { blindS } from "./blind-s.ts";
import { blindSStar } from "./blind-s-star.ts";
import { bpp } from "./bpp.ts";
import { clipPatch } from "./clip-patch.ts";
import { composite } from "./composite.ts";
import { ctrl } from "./ctrl.ts";
import { dfst } from "./dfst.ts";
import { ftrojan } from "./ftrojan.ts";
import { gaussian } from "./gaussian.ts";
import { htba } from "./htba.ts";
import { inputAware } from "./input-aware.ts";
import { invisibleBadnet } from "./invisible-badnet.ts";
import { issba } from "./issba.ts";
import { lc } from "./lc.ts";
import { lf } from "./lf.ts";
import { pgd } from "./pgd.ts";
import { physical } from "./physical.ts";
import { refool } from "./refool.ts";
import { sig } from "./sig.ts";
import { trojaiFilter } from "./trojai-filter.ts";
import { trojaiPolygon } from "./trojai-polygon.ts";
import { trojannn } from "./trojannn.ts";
import { wanet } from "./wanet.ts";

/** The attacks, by the name that each descriptor has. */
export const attacks = {
  badnets,
  blended,
  "blind-p": blindP,
  "blind-p-star": blindPStar,
  "blind-s": blindS,
  "blind-s-star": blindSStar,
  bpp,
  "clip-patch": clipPatch,
  composite,
  ctrl,
  dfst,
  ftrojan,
  gaussian,
  htba,
  "input-aware": inputAware,
  "invisible-badnet": invisibleBadnet,
  issba,
  lc,
  lf,
  pgd,
  physical,
  refool,
  sig,
  "trojai-filter": trojaiFilter,
  "trojai-polygon": trojaiPolygon,
  trojannn,
  wanet,
} as const satisfies Record<string, AttackDescriptor>;
