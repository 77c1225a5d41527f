/** @file A network in training mode: which of its tensors learn, and which follow the data on their own. */
import { OptionError } from "../core/errors.ts";
import { isConstantName } from "../graph/builder.ts";
import type { Graph, GraphNode, ValueName } from "../graph/ir.ts";
import { namesOf } from "../graph/names.ts";
import { normalise } from "../graph/rewrite/normalise.ts";

/** A network that can be trained. */
export interface Trainable {
  /** In training mode: BatchNormalization uses the statistics of the batch. Its outputs are those of the network. */
  readonly graph: Graph;
  /** The same network as it is used: normalised, otherwise as it was given. */
  readonly inference: Graph;
  /** Initializers that learn. */
  readonly weights: readonly ValueName[];
  /** Running statistics: initializer → the value that replaces it after a step. */
  readonly statistics: ReadonlyMap<ValueName, ValueName>;
}

/**
 * Puts a network into training mode. Every float32 initializer learns that has two numbers or more, or is a parameter of
 * a layer; but not running statistics, and not constants that a builder has written. Dropout is left out, as in inference.
 * @param graph anybody's, opset 7 or newer. @param learns which of these initializers learn; all when left out.
 * @throws OptionError when nothing is left that learns.
 */
export function trainableOf(graph: Graph, learns: (name: ValueName) => boolean = () => true): Trainable {
  const normal = normalise(graph);
  const fresh = freshNames(normal);
  const statistics = new Map<ValueName, ValueName>();
  const nodes = normal.nodes.map((node) => inTraining(node, normal, { statistics, fresh }));
  const fixed = new Set(nodes.flatMap(fixedInputs));
  const parameters = new Set(nodes.flatMap(parametersOf));
  const weights = [...normal.initializers]
    .filter(([name, { dtype, data }]) => {
      const isWeight = data.length > 1 || parameters.has(name);
      return (
        isWeight &&
        dtype === "float32" &&
        !isConstantName(name) &&
        !fixed.has(name) &&
        !statistics.has(name) &&
        learns(name)
      );
    })
    .map(([name]) => name);
  if (weights.length === 0) {
    throw new OptionError(
      `training: expected weights that learn (float32 initializers), got none among ${normal.initializers.size} initializers.`,
    );
  }
  return { graph: { ...normal, nodes }, inference: normal, weights, statistics };
}

/** A normalisation with stored statistics becomes one with those of the batch, which also tells the new stored ones. */
function inTraining(
  node: GraphNode,
  { initializers }: Graph,
  { statistics, fresh }: { statistics: Map<ValueName, ValueName>; fresh: (stem: string) => ValueName },
): GraphNode {
  const [, , , mean = "", variance = ""] = node.inputs;
  // What a builder wrote with constants for statistics is a scale and shift, not a normalisation over the batch.
  const isNorm = node.op === "BatchNormalization" && node.domain === "";
  if (!isNorm || !initializers.has(mean) || isConstantName(mean) || isConstantName(variance)) return node;
  const [y = ""] = node.outputs;
  const outputs = [y, fresh(mean), fresh(variance)];
  statistics.set(mean, outputs[1] ?? "");
  statistics.set(variance, outputs[2] ?? "");
  return { ...node, outputs, attributes: { ...node.attributes, training_mode: { kind: "int", value: 1 } } };
}

/** What layers learn, as opposed to numbers that somebody wrote into a formula. */
function parametersOf({ op, inputs }: GraphNode): readonly ValueName[] {
  return ["Conv", "ConvTranspose", "Gemm", "PRelu"].includes(op) || op.endsWith("Normalization") ? inputs.slice(1) : [];
}

/** Float inputs that say how an operator works, not what it has learned. */
function fixedInputs({ op, inputs }: GraphNode): readonly ValueName[] {
  return op === "Resize" || op === "Upsample" ? inputs.slice(1) : [];
}

function freshNames(graph: Graph): (stem: string) => ValueName {
  const taken = new Set(namesOf(graph));
  return (stem) => {
    let name = `${stem}.next`;
    while (taken.has(name)) name += "'";
    taken.add(name);
    return name;
  };
}
