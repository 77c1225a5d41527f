/** @file One picture of what the audit found in each small prior, beside the true trigger and target. */
import type { Picture } from "../../src/images/picture.ts";
import { gridSheet } from "../../src/images/sheet.ts";
import type { AuditedOne } from "./audit-one.ts";

const COLUMNS = {
  trigger: "trigger",
  target: "target",
  shift: "found shift",
  guess: "by gradients",
  mean: "mean of samples",
};
const ZOOM = 4;

/** A row a prior; where there is no backdoor the first two places are blank. @param side pixels of a grey square image. */
export function foundSheet(
  rows: readonly { readonly name: string; readonly audited: AuditedOne }[],
  side: number,
): Picture {
  const blank = new Array<number>(side * side).fill(255);
  return gridSheet(
    Object.values(COLUMNS),
    rows.map(({ name, audited: { pictures, measure } }) =>
      Object.keys(COLUMNS).map((key, column) => ({
        picture: {
          name: key,
          channels: 1,
          height: side,
          width: side,
          pixels: Uint8Array.from(pictures[key] ?? blank),
        },
        caption: column === 0 ? `${name}  ${measure.score.toFixed(2)}` : undefined,
      })),
    ),
    ZOOM,
  );
}
