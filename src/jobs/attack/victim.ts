/** @file The network that an attacked training teaches: fresh as a rule, for some attacks one that knows the clean data. */
import type { PreparedAttack } from "../../attacks/attack.ts";
import { lastLinearLayer } from "../../classifiers/last-layer.ts";
import type { OnnxClassifierFiles } from "../../classifiers/onnx.ts";
import { OptionError } from "../../core/errors.ts";
import { freshNet, type NetRequest, type NetToTrain } from "../training/fresh-net.ts";
import type { TrainingData, TrainingHost } from "../training/host.ts";
import { ownNet } from "../training/own-net.ts";

/** A network, and which of its weights learn; all when left out. */
export interface Victim {
  readonly net: NetToTrain;
  readonly learns: ((name: string) => boolean) | undefined;
}

/** Where a victim's weights come from. */
export interface VictimSources {
  readonly request: NetRequest;
  readonly data: TrainingData;
  /** Files of a classifier that knows the clean data. */
  surrogate(): Promise<OnnxClassifierFiles>;
  readonly host: Pick<TrainingHost, "runtime" | "threads" | "signal">;
}

/**
 * The victim that an attack asks for.
 * @throws OptionError when only the last layer is to learn and the network has none that is linear.
 */
export async function victimOf(
  attack: Exclude<PreparedAttack, { readonly how: "evade" }>,
  { request, data, surrogate, host }: VictimSources,
): Promise<Victim> {
  const { start = "fresh", train = "all" } = (attack.how === "poison" ? attack.victim : undefined) ?? {};
  const net = start === "fresh" ? freshNet(request, data) : await ownNet(await surrogate(), data, host);
  if (train === "all") return { net, learns: undefined };
  const layer = lastLinearLayer(net.net.graph, net.net.signature.output);
  if (layer === undefined) {
    throw new OptionError("attack: expected a network that ends with a linear layer, got one that ends otherwise.");
  }
  return { net, learns: (name) => layer.names.includes(name) };
}
