/** @file A purifier as the page draws it: what `untrigger methods --json` says, and nothing else. */

/** One option, as its JSON Schema describes it. */
export interface OptionSchema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly items?: OptionSchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly default?: unknown;
  readonly description?: string;
}

/** The option sets of a preset, one a vote. */
export type VoteSets = readonly Readonly<Record<string, unknown>>[];

/** One purifier. */
export interface Method {
  readonly name: string;
  readonly summary: string;
  readonly source: string;
  readonly needs: { readonly prior: boolean; readonly classifier: boolean };
  readonly presets: Readonly<Record<string, VoteSets>>;
  readonly options: { readonly properties?: Readonly<Record<string, OptionSchema>> };
}

/** The preset that is taken where nobody names one. */
export function defaultPreset({ presets }: Method): string {
  return "recommended" in presets ? "recommended" : "paper";
}

/** What an option is under a preset, in words: one value, or one a vote where they differ. */
export function presetValue(method: Method, preset: string, option: string): string {
  const sets = method.presets[preset] ?? [];
  const values = sets.map((set) => wordOf(set[option] ?? method.options.properties?.[option]?.default));
  return [...new Set(values)].length === 1 ? (values[0] ?? "") : values.join(", ");
}

/** A value as a control shows it. */
export function wordOf(value: unknown): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return Array.isArray(value) ? value.join(" then ") : String(value);
}
