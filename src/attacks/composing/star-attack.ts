/** @file The blind attacks with the third task: what Blind-P* and Blind-S* have in common. */
import { z } from "zod";
import type { AttackContext, AttackDescriptor, ComposingAttack } from "../attack.ts";
import { blindAttack } from "../blind-patterns.ts";
import { type LabelChoice, labelOptions } from "../label-map.ts";
import { type TwoTaskSettings, twoTaskOptions } from "../two-tasks.ts";
import { resistSmoothing, type SmoothingSettings, smoothingOptions } from "./resist-smoothing.ts";

/** The paper of the attacks against smoothing. */
export const STAR_SOURCE =
  'Sun and Kolter 2023, "Single Image Backdoor Inversion via Robust Smoothed Classifiers", section 5.3, https://arxiv.org/abs/2303.00215; patterns of Bagdasaryan and Shmatikov 2021, https://arxiv.org/abs/2005.03823';

/** Options of both attacks. */
export const starOptions = z.object({ ...labelOptions, ...twoTaskOptions, ...smoothingOptions });

/** Plants a pattern of pixels that does nothing behind noise. @param rows of the pattern, as `blindAttack` reads them. */
export async function starAttack(
  descriptor: Pick<AttackDescriptor<typeof starOptions>, "name" | "needs">,
  rows: readonly string[],
  {
    options,
    context,
  }: { readonly options: LabelChoice & TwoTaskSettings & SmoothingSettings; readonly context: AttackContext },
): Promise<ComposingAttack> {
  const inner = await blindAttack(descriptor, rows, { options, context });
  const trigger = { ...(await inner.trigger()), source: STAR_SOURCE };
  return resistSmoothing(inner, trigger, { ...options, classes: context.data.classes });
}
