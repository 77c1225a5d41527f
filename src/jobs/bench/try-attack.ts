/** @file Whether an attack can be made at all, found out without training anything. */
import type { AttackDescriptor } from "../../attacks/attack.ts";
import { misfit } from "../../attacks/needs.ts";
import { OptionError, ToolkitError } from "../../core/errors.ts";
import { imageDims } from "../../tensor/shape.ts";
import type { TrainingFacts } from "./plan-host.ts";

/** Thrown where work would begin; nothing that an attack might catch on purpose. */
class WorkBegins extends Error {
  override readonly name = "WorkBegins";
}

/**
 * Creates an attack up to the point where it would train or run a network, so that what it checks before (colours, sizes,
 * classes, a ratio that the target class cannot give) is refused in its own words.
 * @throws OptionError, ShapeError when the attack and the data do not fit.
 */
export async function tryAttack(
  descriptor: AttackDescriptor,
  { options, seed }: { readonly options: Record<string, unknown>; readonly seed: number },
  data: TrainingFacts,
): Promise<void> {
  const { c, h, w } = imageDims(descriptor.name, data.images.dims);
  const problem = misfit(descriptor, { shape: [c, h, w], classes: data.classes });
  if (problem !== undefined) throw new OptionError(problem);
  const begins = (): Promise<never> => Promise.reject(new WorkBegins());
  try {
    const attack = await descriptor.create(options, {
      data,
      seed,
      surrogate: begins,
      runtime: { name: "none", version: "0", device: "cpu", load: begins },
    });
    await attack.dispose();
  } catch (error) {
    if (error instanceof ToolkitError) throw error;
    if (!(error instanceof WorkBegins)) throw error;
  }
}
