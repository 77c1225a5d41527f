/** @file The pixel patterns of the blind attacks, and the attack that plants one through the loss. */
import type { z } from "zod";
import type { AttackContext, AttackDescriptor, ComposingAttack } from "./attack.ts";
import { type LabelChoice, labelMapOf } from "./label-map.ts";
import { requireNeeds } from "./needs.ts";
import { openTrigger } from "./open-trigger.ts";
import { paintPatch } from "./paint.ts";
import { type TwoTaskSettings, twoTaskAttack } from "./two-tasks.ts";

/** Row and column of the upper left pixel, whatever the size of the image. */
const [ROW, COLUMN] = [3, 23];

/** The paper of the blind attacks. */
export const BLIND_SOURCE =
  'Bagdasaryan and Shmatikov 2021, "Blind Backdoors in Deep Learning Models", section 5, https://arxiv.org/abs/2005.03823; ebagdasa/backdoors101, synthesizers/pattern_synthesizer.py';

/**
 * Plants a pattern of pixels through the loss.
 * @param rows of the pattern: `1` is white, `0` black, `.` shows the image.
 */
export async function blindAttack<Options extends z.ZodObject>(
  descriptor: Pick<AttackDescriptor<Options>, "name" | "needs">,
  rows: readonly string[],
  { options, context }: { readonly options: LabelChoice & TwoTaskSettings; readonly context: AttackContext },
): Promise<ComposingAttack> {
  const { shape, classes } = requireNeeds(descriptor, context);
  const place = { row: ROW, column: COLUMN, height: rows.length, width: rows[0]?.length ?? 0 };
  const trigger = await openTrigger({
    kind: "patch",
    attack: descriptor.name,
    source: BLIND_SOURCE,
    seed: context.seed,
    labels: labelMapOf(descriptor.name, options, classes),
    shape,
    parameters: { blend: 1 },
    arrays: paintPatch(shape, place, (_, i, j) => (rows[i]?.[j] === "." ? undefined : Number(rows[i]?.[j]))),
  });
  return twoTaskAttack(trigger, context, options);
}
