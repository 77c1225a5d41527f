/** @file Which toolkit a file or folder is from, by names alone. */

/** The layouts that can be imported. */
export type ForeignKind =
  | "backdoorbench"
  | "backdoor-toolbox"
  | "trojanzoo"
  | "trojai-model"
  | "trojai-round"
  | "pickled-model";

/**
 * The layout of a file (one path) or a folder (all paths below it, with slashes).
 * @returns `undefined` when it is none that is known.
 */
export function recognise(paths: readonly string[], isFolder: boolean): ForeignKind | undefined {
  if (!isFolder) {
    const [path = ""] = paths;
    if (/\.(npy|npz|png)$/i.test(path)) return "trojanzoo";
    if (/(^|\/)(attack|defense)_result\.pt$/i.test(path)) return "backdoorbench";
    return /\.(pth?|pt\.tar|pth\.tar|pkl|pickle|bin)$/i.test(path) ? "pickled-model" : undefined;
  }
  const has = (name: string): boolean => paths.includes(name);
  if (has("attack_result.pt") || has("defense_result.pt")) return "backdoorbench";
  if (has("imgs") && has("labels") && has("poison_indices")) return "backdoor-toolbox";
  if (has("METADATA.csv")) return "trojai-round";
  if (has("ground_truth.csv") || has("reduced-config.json")) return "trojai-model";
  return has("config.json") && has("model.pt") ? "trojai-model" : undefined;
}
