/** @file A network in training mode: which of its tensors learn, and which follow the data on their own. */
import { OptionError } from "../core/errors.ts";
import { int, isConstantName } from "../graph/builder.ts";
import type { Graph, GraphNode, ValueName } from "../graph/ir.ts";
import { namesOf } from "../graph/names.ts";
import { inferenceForm, isBatchNorm } from "./inference-form.ts";

/** A network that can be trained. */
export interface Trainable {
  /** In training mode: BatchNormalization uses the statistics of the batch. Its outputs are those of the network. */
  readonly graph: Graph;
  /** The same network as it is used: normalised, its normalisations by stored statistics. */
  readonly inference: Graph;
  /** Initializers that learn. */
  readonly weights: readonly ValueName[];
  /** Running statistics: initializer → the value that replaces it after a step. */
  readonly statistics: ReadonlyMap<ValueName, ValueName>;
}

/**
 * Puts a network into training mode. Every float32 initializer learns that has two numbers or more, or is a parameter of
 * a layer; but not running statistics, and not constants that a builder or an exporter has written into nodes. Dropout is
 * left out, as in inference, also where the network was exported in training mode. A normalisation whose scale and shift do
 * not learn is frozen as a whole: it goes on normalising by its stored statistics.
 * @param graph anybody's, opset 7 or newer. @param learns which of these initializers learn; all when left out.
 * @throws OptionError when nothing is left that learns; what `normalise` throws.
 */
export function trainableOf(graph: Graph, learns: (name: ValueName) => boolean = () => true): Trainable {
  const inference = inferenceForm(graph);
  const fresh = freshNames(inference);
  const statistics = new Map<ValueName, ValueName>();
  const nodes = inference.nodes.map((node) => inTraining(node, inference, { statistics, fresh, learns }));
  const parameters = new Set(nodes.flatMap(parametersOf));
  const scales = new Set(nodes.flatMap(scalesOf));
  const fixed = new Set([...nodes.flatMap(fixedInputs), ...graph.nodes.flatMap(writtenConstants)]);
  const weights = [...inference.initializers]
    .filter(([name, { dtype, data }]) => {
      const isWeight = parameters.has(name) || ((scales.has(name) || data.length > 1) && !fixed.has(name));
      return dtype === "float32" && isWeight && !isConstantName(name) && !statistics.has(name) && learns(name);
    })
    .map(([name]) => name);
  if (weights.length === 0) {
    throw new OptionError(
      `training: expected weights that learn (float32 initializers), got none among ${inference.initializers.size} initializers.`,
    );
  }
  return { graph: { ...inference, nodes }, inference, weights, statistics };
}

/**
 * A normalisation with stored statistics becomes one with those of the batch, which also tells the new stored ones. One
 * that is used twice goes on from what its first use has left.
 */
function inTraining(
  node: GraphNode,
  { initializers }: Graph,
  {
    statistics,
    fresh,
    learns,
  }: {
    statistics: Map<ValueName, ValueName>;
    fresh: (stem: string) => ValueName;
    learns: (name: ValueName) => boolean;
  },
): GraphNode {
  const [x = "", scale = "", bias = "", mean = "", variance = ""] = node.inputs;
  // What a builder wrote with constants for statistics is a scale and shift, not a normalisation over the batch.
  const isNorm = isBatchNorm(node) && [mean, variance].every((name) => initializers.has(name) && !isConstantName(name));
  if (!isNorm || !(learns(scale) || learns(bias))) return node;
  const stored = [mean, variance].map((name) => statistics.get(name) ?? name);
  const outputs = [node.outputs[0] ?? "", ...[mean, variance].map((name, i) => node.outputs[i + 1] || fresh(name))];
  statistics.set(mean, outputs[1] ?? "");
  statistics.set(variance, outputs[2] ?? "");
  return {
    ...node,
    inputs: [x, scale, bias, ...stored],
    outputs,
    attributes: { ...node.attributes, training_mode: int(1) },
  };
}

/** What layers learn, even a single number, and even where an exporter has written it into a node. */
function parametersOf({ op, inputs }: GraphNode): readonly ValueName[] {
  return ["Conv", "ConvTranspose", "Gemm", "PRelu"].includes(op) ? inputs.slice(1) : [];
}

/** What normalisations learn: those without parameters are written with ones and zeros. */
function scalesOf({ op, inputs }: GraphNode): readonly ValueName[] {
  return op.endsWith("Normalization") ? inputs.slice(1) : [];
}

/** Float inputs that say how an operator works, not what it has learned. */
function fixedInputs({ op, inputs }: GraphNode): readonly ValueName[] {
  return op === "Resize" ? inputs.slice(1) : [];
}

/** Numbers that an exporter found in the code of a network: weights are initializers, or layers' own. */
function writtenConstants({ op, domain, outputs }: GraphNode): readonly ValueName[] {
  return op === "Constant" && domain === "" ? outputs : [];
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
