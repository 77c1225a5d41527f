/** @file Attacks that do nothing but put a trigger onto a share of the training set: most of them. */
import { z } from "zod";
import type { AttackContext, PoisoningAttack } from "./attack.ts";
import { chooseRows, eligibleFor, type PoisonShare, poisonRows } from "./poison.ts";
import type { Trigger } from "./trigger.ts";

/** The option by which attacks let a user choose how much is poisoned. */
export function ratioOption(share: number, of: PoisonShare["of"] = "training set"): z.ZodDefault<z.ZodNumber> {
  return z.number().min(0).max(1).default(share).describe(`Share of the ${of} that is poisoned.`);
}

/** The option by which attacks on source classes teach that the trigger on others does nothing. */
export const coverOption = z
  .number()
  .min(0)
  .max(1)
  .default(0)
  .describe("Share of the training set, of classes that are spared, that gets the trigger and keeps its label.");

/** What is poisoned, beside the trigger. */
export interface PoisoningSettings {
  readonly poisonRatio: number;
  readonly of?: PoisonShare["of"] | undefined;
  /** Only images of the target class, whose labels stay. */
  readonly cleanLabel?: boolean | undefined;
  /** Share of the training set that gets the trigger and keeps its label, of classes that the map spares. */
  readonly coverRatio?: number | undefined;
}

/**
 * The attack that poisons with a trigger.
 * @throws OptionError at once when the ratio cannot be met.
 */
export function poisoningAttack(
  trigger: Trigger,
  context: AttackContext,
  { poisonRatio, of = "training set", cleanLabel = false, coverRatio = 0 }: PoisoningSettings,
): PoisoningAttack {
  const { data, seed } = context;
  const items = data.images.dims[0] ?? 0;
  const eligible = eligibleFor(data, trigger.labels, { cleanLabel });
  const chosen = chooseRows(trigger.attack, { ratio: poisonRatio, of, ...eligible }, { items, seed });
  const covers = coversOf(trigger, context, coverRatio, items);
  return {
    how: "poison",
    trigger: async () => trigger,
    poison: (run) => poisonRows(trigger, context, { chosen, covers, cleanLabel }, run),
    dispose: () => trigger.dispose(),
  };
}

/** Images of classes that are neither source nor target. */
function coversOf(
  { attack, labels: map }: Trigger,
  { data, seed }: AttackContext,
  ratio: number,
  items: number,
): Int32Array {
  if (ratio === 0 || map.kind !== "source-to-target") return new Int32Array();
  const spared = (label: number): boolean => label !== map.target && !map.sources.includes(label);
  const eligible = Array.from({ length: items }, (_, i) => i).filter((i) => spared(data.labels[i] ?? -1));
  const share = { ratio, of: "training set", who: "images of classes that are spared", eligible } as const;
  return chooseRows(attack, share, { items, seed, stream: "cover" });
}
