/** @file The methods that a plan names, looked up with their complete options; nothing is read or opened for it. */
import type { AttackDescriptor } from "../../attacks/attack.ts";
import type { AttackPlan, ModelPlan, PurifierPlan } from "../../bench/plan.ts";
import { parseOptions } from "../../core/descriptor.ts";
import { OptionError } from "../../core/errors.ts";
import { lookUp } from "../../core/names.ts";
import type { Precision } from "../../diffusion/prior.ts";
import type { Architecture } from "../../nn/architectures/architecture.ts";
import { architectures } from "../../nn/architectures/registry.ts";
import type { PurifierDescriptor } from "../../purify/purifier.ts";
import { purifiers } from "../../purify/registry.ts";
import type { AnswerRule } from "../../results/purify-row.ts";
import { chooseAttack } from "../attack/attack.ts";
import { classifierRecipe, type Recipe } from "../training/recipe.ts";
import { planVotes } from "../votes.ts";
import { mergedModel } from "./grid.ts";

/** What stands for the absence of an attack, and of a purifier. */
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

/** A purifier, complete. */
export interface ResolvedPurifier {
  readonly name: string;
  readonly preset: string | null;
  /** Options of each vote; none for the name `none`. */
  readonly votes: readonly Record<string, unknown>[];
  readonly needsPrior: boolean;
  readonly precision: Precision;
  readonly answer: AnswerRule;
}

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

/** @throws OptionError for an unknown purifier, preset or option, one out of range, or a precision of no net. */
export function resolvePurifier(plan: PurifierPlan): ResolvedPurifier {
  const { name, preset, options = {}, votes, precision, answer } = plan;
  if (name === NONE) {
    requireNothing("purifier", { preset, options, votes, precision, answer });
    return { name, preset: null, votes: [], needsPrior: false, precision: "f32", answer: "purified" };
  }
  const descriptor: PurifierDescriptor = lookUp<PurifierDescriptor>("purifier", name, purifiers);
  const chosen = planVotes(descriptor, { preset, options, votes });
  const needsPrior = descriptor.needs.prior;
  if (precision !== undefined && !needsPrior) {
    throw new OptionError(`${name}: expected no precision for a purifier without a network, got ${precision}.`);
  }
  return {
    name,
    preset: chosen.preset,
    votes: chosen.votes.map((set) => ({ ...set })),
    needsPrior,
    precision: precision ?? "f32",
    answer: answer ?? "purified",
  };
}

function requireNothing(kind: string, { options, ...rest }: Readonly<Record<string, unknown>>): void {
  const given = Object.entries(rest).find(([, value]) => value !== undefined)?.[0];
  const option = Object.keys(options as object)[0];
  const extra = given ?? (option === undefined ? undefined : `option ${option}`);
  if (extra !== undefined) throw new OptionError(`${kind} none: expected nothing beside its name, got ${extra}.`);
}
