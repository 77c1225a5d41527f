/** @file What every residual block makes of the time embedding, computed for all of them at once. */
import { int } from "../../graph/builder.ts";
import type { FeatureMap, Net } from "../net.ts";
import { linear } from "./conv.ts";

/**
 * A block's projection of the time embedding, one vector per image.
 * @param name the stored layer. @param channels how many outputs the block expects.
 * @throws FormatError (with the name and both shapes) when the checkpoint has no such layer or one of other size.
 */
export type TimeProjections = (name: string, channels: number) => FeatureMap;

/**
 * Applies all stored linear layers whose names end with `suffix` to the same vector, as one layer. Fresh weights store
 * nothing before it is asked for: each layer is then written when its block asks.
 * @param suffix such as `.time_emb_proj`. @param time the embedding after its activation.
 */
export function projectTime(net: Net, suffix: string, time: FeatureMap): TimeProjections {
  const layers = [...net.weights.state.keys()]
    .filter((name) => name.endsWith(`${suffix}.weight`))
    .map((name) => ({ name: name.slice(0, -".weight".length), channels: net.weights.dimsOf(name)?.[0] ?? 0 }));
  if (layers.length === 0) return (name, channels) => linear(net, [{ name, channels }], time);
  const all = linear(net, layers, time);
  const sizes = net.b.ints(...layers.map(({ channels }) => channels));
  const parts = net.b.ops("Split", [all.value, sizes], { axis: int(1) }, { outputs: layers.length });
  const byName = new Map(layers.map(({ name, channels }, i) => [name, { ...all, channels, value: parts[i] ?? "" }]));
  return (name, channels) => {
    const found = byName.get(name);
    if (found?.channels === channels) return found;
    // Missing or of another size: taking it says so, with both shapes.
    net.weights.take(`${name}.weight`, [channels, time.channels]);
    throw new Error(`internal: time projection "${name}" was not collected`);
  };
}
