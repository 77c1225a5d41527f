/** @file The attacks and trainings that a plan names, looked up with their complete options; nothing is read or opened for it. */
import type { AttackDescriptor } from "../../attacks/attack.ts";
import type { AttackPlan, ModelPlan } from "../../bench/plan.ts";
import { parseOptions } from "../../core/descriptor.ts";
import { OptionError } from "../../core/errors.ts";
import { lookUp } from "../../core/names.ts";
import type { Architecture } from "../../nn/architectures/architecture.ts";
import { architectures } from "../../nn/architectures/registry.ts";
import { chooseAttack } from "../attack/attack.ts";
import { classifierRecipe, type Recipe } from "../training/recipe.ts";
import { mergedModel } from "./grid.ts";

/** What stands for the absence of an attack, and of a defence. */
export const NONE = "none";

/** How models are trained, complete. */
export interface Training {
  readonly architecture: Architecture;
  readonly options: Record<string, unknown>;
  readonly recipe: Recipe;
  readonly images: number | null;
  /** The cell's when left out. */
  readonly seed: number | undefined;
}

/** An attack, complete. */
export type ResolvedAttack =
  | { readonly kind: "folder"; readonly folder: string }
  | {
      /** `backdoor`: planted in training. `evasion`: done to a clean model. `none`: a clean model. */
      readonly kind: "backdoor" | "evasion" | "none";
      readonly name: string;
      readonly preset: string | null;
      readonly options: Record<string, unknown>;
      readonly descriptor: AttackDescriptor | undefined;
      readonly training: Training;
    };

/** @throws OptionError for an unknown attack, preset, architecture or option, or one out of range. */
export function resolveAttack(plan: AttackPlan, model: ModelPlan): ResolvedAttack {
  if (plan.folder !== undefined) return { kind: "folder", folder: plan.folder };
  const { name = NONE, preset, options = {} } = plan;
  const training = resolveTraining(mergedModel(model, plan.model));
  if (name === NONE) {
    requireNothing("attack", { preset, options });
    return { kind: "none", name, preset: null, options: {}, descriptor: undefined, training };
  }
  const choice = chooseAttack({ attack: name, preset, attackOptions: options });
  const kind = choice.descriptor.threat === "evasion" ? "evasion" : "backdoor";
  return { ...choice, kind, name, training };
}

/** @throws OptionError for an unknown architecture or option, or one out of range. */
export function resolveTraining({
  architecture = "small-cnn",
  options = {},
  recipe = {},
  images,
  seed,
}: ModelPlan): Training {
  const descriptor: Architecture = lookUp("architecture", architecture, architectures);
  return {
    architecture: descriptor,
    options: parseOptions(descriptor, options),
    recipe: parseOptions({ name: "recipe", options: classifierRecipe }, recipe),
    images: images ?? null,
    seed,
  };
}

/** @throws OptionError when something is said about what stands for nothing. */
export function requireNothing(kind: string, { options, ...rest }: Readonly<Record<string, unknown>>): void {
  const given = Object.entries(rest).find(([, value]) => value !== undefined)?.[0];
  const option = Object.keys(options as object)[0];
  const extra = given ?? (option === undefined ? undefined : `option ${option}`);
  if (extra !== undefined) throw new OptionError(`${kind} none: expected nothing beside its name, got ${extra}.`);
}
