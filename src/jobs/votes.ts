/** @file From a method, a preset and options to one option set for each vote. */
import { defaultPreset, parseOptions } from "../core/descriptor.ts";
import { OptionError } from "../core/errors.ts";
import { lookUp } from "../core/names.ts";
import type { PresetName, PurifierDescriptor } from "../purify/purifier.ts";

/** What a request says about how to purify. */
export interface MethodChoice {
  readonly preset?: string | undefined;
  /** Single options that replace the preset's. */
  readonly options?: Readonly<Record<string, unknown>> | undefined;
  /** How many purifications are averaged; the preset's own number when left out. */
  readonly votes?: number | undefined;
}

/** The option sets of all votes, complete with defaults. */
export interface VotePlan {
  readonly preset: PresetName;
  readonly votes: readonly Readonly<Record<string, unknown>>[];
}

/** The most votes that one request may ask for. */
export const MAX_VOTES = 64;

/**
 * Plans the votes. A preset is a list of option sets; votes beyond its end start again at its beginning.
 * @throws OptionError for an unknown preset or option, a value out of range, or a number of votes outside 1..64.
 */
export function planVotes(descriptor: PurifierDescriptor, choice: MethodChoice): VotePlan {
  const preset = (choice.preset ?? defaultPreset(descriptor)) as PresetName;
  const sets = lookUp(`preset of ${descriptor.name}`, preset, descriptor.presets);
  const count = choice.votes ?? sets.length;
  if (!Number.isInteger(count) || count < 1 || count > MAX_VOTES) {
    throw new OptionError(`votes: expected an integer from 1 to ${MAX_VOTES}, got ${count}.`);
  }
  const complete = sets.map((set) => parseOptions(descriptor, { ...set, ...choice.options }));
  return { preset, votes: Array.from({ length: count }, (_, vote) => complete[vote % complete.length] ?? {}) };
}
